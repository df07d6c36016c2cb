"""The rows of the command line on a cluster: `sluice` through sluiced, against kubectl at the API server."""
import re
import subprocess
import time

from alternate import alternate
from cluster_stand import NAMESPACE, kubectl_seconds
from cluster_streams import BLOCK, IDLE
from short_connections import AT_ONCE, CONNECTIONS, Echo, exchange_all
from stand import free_port, wait_for_port
from support.catalogue import PROJECT
from table import Result, at_least


class CommandLine:
    """`sluice` with alice's token, at a server of its own."""

    def __init__(self, stand):
        _, port, token = stand.sluiced()
        self.program = stand.build / "sluice"
        self.environment = {"SLUICE_SERVER": f"http://127.0.0.1:{port}/cluster-api", "SLUICE_PROJECT": PROJECT,
                            "SLUICE_TOKEN": token.read_text(), "HOME": str(stand.path)}

    def seconds(self, *arguments):
        """How long it takes, its start included; what it prints is thrown away."""
        begin = time.monotonic()
        subprocess.run([self.program, *arguments], stdout=subprocess.DEVNULL, check=True, timeout=900,
                       env=self.environment)
        return time.monotonic() - begin

    def forward(self, stand, target):
        """The port of this machine that leads to the pod's."""
        process = stand.start(self.program, "port-forward", IDLE.name, "--port", f":{target}",
                              env=self.environment, stdout=subprocess.PIPE)
        return re.match(rb"127\.0\.0\.1:(\d+) ", process.stdout.readline())[1].decode()


def execution(stand):
    stand.create(IDLE)
    blocks = int(4e9 * stand.scale) // BLOCK
    command = ("dd", "if=/dev/zero", "bs=64k", f"count={blocks}", "status=none")
    cli = CommandLine(stand)
    own, peer = alternate(
        lambda: cli.seconds("exec", IDLE.name, "--", *command),
        lambda: kubectl_seconds("exec", "-n", NAMESPACE, stand.pod(IDLE), "--", *command), rounds=2)
    size = blocks * BLOCK / 1e6
    yield at_least("sluice exec: 4 GB of stdout, against kubectl exec", size / own, size / peer, "MB/s", 1)


def port_forward(stand):
    stand.create(IDLE)
    size = int(4e9 * stand.scale) // BLOCK * BLOCK
    target = free_port()
    stand.start(stand.build / "load", "target", target)
    wait_for_port(target)
    own_port = CommandLine(stand).forward(stand, target)
    peer_port = kubectl_forward(stand, target)
    for verb, direction in (("receive", "from the pod"), ("transmit", "to the pod")):
        own, peer = alternate(lambda: stand.load(verb, own_port, size)["seconds"],
                              lambda: stand.load(verb, peer_port, size)["seconds"], rounds=2)
        yield at_least(f"sluice port-forward: 4 GB {direction}, against kubectl port-forward", size / own / 1e6,
                       size / peer / 1e6, "MB/s", 1)


def short_connections(stand):
    stand.create(IDLE)
    with Echo() as echo:  # the pod has the network of the node
        own_port = CommandLine(stand).forward(stand, echo.port)
        peer_port = kubectl_forward(stand, echo.port)
        own, peer = exchange_all(own_port), exchange_all(peer_port)
    yield Result(f"sluice port-forward: {CONNECTIONS:,} short connections, {AT_ONCE} at once", f"{own} failed",
                 f"{peer} failed", "", "0 failed", own == 0)


def kubectl_forward(stand, target):
    process = stand.start("kubectl", "port-forward", "-n", NAMESPACE, stand.pod(IDLE), f":{target}",
                          stdout=subprocess.PIPE)
    return re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline().decode())[1]
