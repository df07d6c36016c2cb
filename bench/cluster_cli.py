"""The rows of the command line on a cluster: `sluice` through sluiced, against kubectl at the API server."""
import concurrent.futures
import re
import socket
import socketserver
import subprocess
import threading
import time

from alternate import alternate
from cluster_stand import NAMESPACE, kubectl_seconds
from cluster_streams import BLOCK, IDLE
from stand import free_port, wait_for_port
from support.catalogue import PROJECT
from table import Result, at_least

CONNECTIONS = 1000
AT_ONCE = 20


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
        lambda: kubectl_seconds("exec", "-n", NAMESPACE, stand.pod(IDLE), "--", *command), 2)
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
                              lambda: stand.load(verb, peer_port, size)["seconds"], 2)
        yield at_least(f"sluice port-forward: 4 GB {direction}, against kubectl port-forward", size / own / 1e6,
                       size / peer / 1e6, "MB/s", 1)


def short_connections(stand):
    stand.create(IDLE)
    with Echo() as echo:
        own_port = CommandLine(stand).forward(stand, echo.port)
        peer_port = kubectl_forward(stand, echo.port)
        own, peer = exchange_all(own_port), exchange_all(peer_port)
    yield Result(f"sluice port-forward: {CONNECTIONS:,} short connections, {AT_ONCE} at once", f"{own} failed",
                 f"{peer} failed", "", "0 failed", own == 0)


def kubectl_forward(stand, target):
    process = stand.start("kubectl", "port-forward", "-n", NAMESPACE, stand.pod(IDLE), f":{target}",
                          stdout=subprocess.PIPE)
    return re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline().decode())[1]


class Echo:
    """Sends back what it gets, on a port that is the pod's, too: it has the network of the node."""

    def __enter__(self):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                while received := self.request.recv(4096):
                    self.request.sendall(received)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def exchange_all(port):
    """How many of the connections did not bring back what was sent."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(not good for good in pool.map(lambda serial: exchange(int(port), serial), range(CONNECTIONS)))


def exchange(port, serial):
    sent = f"connection {serial}\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.settimeout(30)
            connection.sendall(sent)
            received = b""
            while len(received) < len(sent):
                block = connection.recv(4096)
                if not block:
                    return False
                received += block
            return received == sent
    except OSError:
        return False
