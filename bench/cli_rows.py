"""The rows of the command line: `sluice` on the load's core, at the stand's server."""
import json
import os
import re
import statistics
import subprocess
import time

from short_connections import AT_ONCE, CONNECTIONS, Echo, exchange_all
from stand import LINE_BYTES, LOAD_CORE, free_port, wait_for_port
from table import Result, at_least, at_most

GIB = 1 << 30
RUNS = 50
API = "/cluster-api/api/v1/p/workloads/training/runai/"


def workload(name, *command, **options):
    """A workloads file of one."""
    container = {"command": command} | options
    return json.dumps({"projects": {"p": [{"name": name, "type": "training", "framework": "runai",
                                           "containers": [container]}]}})


class CommandLine:
    """`sluice` at a server of its own."""

    def __init__(self, stand, workloads):
        self.stand = stand
        _, self.port = stand.start_sluiced(workloads)
        self.token = stand.token()
        self.url = f"http://127.0.0.1:{self.port}/cluster-api"
        self.program = str(stand.build / "sluice")
        self.environment = {"SLUICE_SERVER": self.url, "SLUICE_PROJECT": "p", "SLUICE_TOKEN": self.token,
                            "HOME": str(stand.path), "PATH": os.environ["PATH"]}

    def seconds(self, *command):
        """How long a command takes on the load's core; what it prints is thrown away."""
        begin = time.monotonic()
        subprocess.run(["taskset", "-c", LOAD_CORE, *command], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                       check=True, timeout=900, env=self.environment)
        return time.monotonic() - begin

    def output_bytes(self, *command):
        """How much a command prints."""
        return len(subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False,
                                  env=self.environment).stdout)

    def sluice(self, *arguments):
        return self.seconds(self.program, *arguments)

    def milliseconds(self, *command):
        """The median of many runs, without what starting this way costs."""
        def median(words):
            return statistics.median(self.seconds(*words) for _ in range(RUNS)) * 1000
        return max(0.0, median(command) - median(["true"]))


def logs(stand):
    lines = int(GIB * stand.scale) // LINE_BYTES
    text = stand.path / "lines.txt"
    with open(text, "w", encoding="ascii") as file:
        for _ in range(lines // 1000 + 1):
            file.write(("x" * (LINE_BYTES - 1) + "\n") * 1000)
    size = text.stat().st_size
    cli = CommandLine(stand, workload("lines", "cat", str(text), logs={"maxSize": 4 * GIB}))
    wait_until_logged(cli, size)
    websocat = ["websocat", "-bn", f"-H=Authorization: Bearer {cli.token}",
                f"ws://127.0.0.1:{cli.port}{API}lines/logs"]
    assert cli.output_bytes(*websocat) == size
    own, peer = [], []
    for _ in range(2):
        own.append(cli.sluice("training", "logs", "lines"))
        peer.append(cli.seconds(*websocat))
    yield at_least("sluice logs, 1 GiB of 100-byte lines, against websocat", size / min(own) / 1e6,
                   size / min(peer) / 1e6, "MB/s", 3)


def wait_until_logged(cli, size):
    for _ in range(120):
        if cli.output_bytes(cli.program, "training", "logs", "lines") == size:
            return
        time.sleep(1)
    raise SystemExit("the log never grew to its size")


def execution(stand):
    blocks = int(GIB * stand.scale) >> 20
    file = stand.path / "big"
    with open(file, "wb") as output:
        for _ in range(blocks):
            output.write(b"\0" * (1 << 20))
    cli = CommandLine(stand, workload("idle", "sleep", "86400"))
    seconds = min(cli.sluice("training", "exec", "idle", "--", "cat", str(file)) for _ in range(3))
    limit = min(cli.seconds("cat", str(file)) for _ in range(3))
    size = (blocks << 20) / 1e6
    yield reported_ratio("sluice exec -- cat of 1 GiB, against cat", size / seconds, size / limit)


def reported_ratio(name, own, peer):
    return Result(name, f"{own:,.0f} MB/s", f"{peer:,.0f} MB/s", f"{own / peer:.2f}", "reported")


def forward(cli, remote):
    """A local port that leads to a port of the pod's."""
    process = cli.stand.start(cli.program, "training", "port-forward", "idle", "--port", f":{remote}", core=LOAD_CORE,
                              env=cli.environment, stdout=subprocess.PIPE)
    return re.match(rb"127\.0\.0\.1:(\d+) ", process.stdout.readline())[1].decode()


def port_forward(stand):
    size = int(GIB * stand.scale)
    target = free_port()
    stand.start(stand.build / "load", "target", target, core=LOAD_CORE)
    wait_for_port(target)
    cli = CommandLine(stand, workload("idle", "sleep", "86400"))
    port = forward(cli, target)
    token = stand.write("token", cli.token)
    path = f"{API}idle/port-forward?port={target}"
    for verb, direction in (("receive", "from the pod"), ("transmit", "to the pod")):
        own = min(stand.load(verb, port, size)["seconds"] for _ in range(2))
        peer = min(stand.load(verb, cli.port, size, path, token)["seconds"] for _ in range(2))
        yield reported_ratio(f"sluice port-forward, 1 GiB {direction}, against a WebSocket to the server",
                             size / own / 1e6, size / peer / 1e6)
    with Echo() as echo:
        failed = exchange_all(forward(cli, echo.port))
    yield Result(f"sluice port-forward, {CONNECTIONS:,} short connections, {AT_ONCE} at once", f"{failed} failed", "",
                 "", "0 failed", failed == 0)


def start(stand):
    cli = CommandLine(stand, workload("idle", "sleep", "86400"))
    yield at_most("sluice version, from start to end", cli.milliseconds(cli.program, "version"), 10, "ms")
    curl = ["curl", "-s", "-H", f"Authorization: Bearer {cli.token}", f"{cli.url}/status"]
    beyond = cli.milliseconds(cli.program, "status") - cli.milliseconds(*curl)
    yield at_most("sluice status, beyond curl of the same", beyond, 50, "ms")


ALL = {
    "cli-logs": logs,
    "cli-exec": execution,
    "cli-port-forward": port_forward,
    "cli-start": start,
}
