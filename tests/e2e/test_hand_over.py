"""An upgrade loses nothing: systemd's sockets outlive a server, and SIGUSR2 hands over to the installed program.

The cluster is support/api_server.py; `tests/kubernetes/test_hand_over.py` does the same on a real one.
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest
import yaml

from support.api_server import TICKER, ApiServer
from support.catalogue import BASE, FOREVER, SHELL, Workload, shell
from support.client import Client
from support.httpclient import dial, request
from support.local import describe, settings
from support.metrics import metrics
from support.processes import read, with_argument
from support.rawws import Closed
from support.server import SLUICED, START, Server
from support.waiting import eventually

pytestmark = pytest.mark.local

# --- systemd's side ---


class ServiceManager:
    """Holds listening sockets for one server after the other, and hears what it is told."""

    def __init__(self, folder, names=("listen",)):
        self.sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
        self.address = self.sockets[0].getsockname()
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(folder / "notify"))
        self.notified.settimeout(START)
        self.environment = {**os.environ, "LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": ":".join(names),
                            "NOTIFY_SOCKET": str(folder / "notify")}

    def start(self, server):
        """As Server.start(), with the sockets as descriptors 3, 4, …"""
        numbers = range(3, 3 + len(self.sockets))
        moves = "".join(f"exec {number}<&{kept.fileno()}; " for number, kept in zip(numbers, self.sockets))
        command = ["bash", "-c", moves + 'export LISTEN_PID=$$; exec "$@"', "bash",
                   server.program, "--config", server.config]
        with open(server.log, "w", encoding="utf-8") as log:
            server.process = subprocess.Popen(command, stderr=log, env=self.environment,
                                              pass_fds=[kept.fileno() for kept in self.sockets])
        return server

    def told(self):
        return self.notified.recv(1000).decode()

    def close(self):
        for kept in self.sockets:
            kept.close()
        self.notified.close()


@pytest.fixture
def manager(tmp_path):
    one = ServiceManager(tmp_path)
    yield one
    one.close()


def local_server(tmp_path, address, **changes):
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, settings(listen="{}:{}".format(*address), admin=None, **changes),
                    describe(Workload("shell", (shell(FOREVER),))))
    return server


def test_it_serves_the_sockets_it_is_given_and_says_when(manager, tmp_path):
    server = manager.start(local_server(tmp_path, manager.address, threads=3))
    assert manager.told() == "READY=1"
    assert f"listening on http://127.0.0.1:{manager.address[1]}\n" in server.output
    assert request(manager.address, "GET", "/", {}).status == 404
    server.signal(signal.SIGTERM)
    assert manager.told() == "STOPPING=1"
    assert server.process.wait(timeout=20) == 0


def test_who_connects_during_a_restart_is_answered_by_the_next_server(manager, tmp_path):
    server = manager.start(local_server(tmp_path, manager.address))
    assert manager.told() == "READY=1"
    assert server.stop() == 0
    waiting = [dial(manager.address) for _ in range(20)]
    for sock in waiting:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    manager.start(server)
    assert [manager.told(), manager.told()] == ["STOPPING=1", "READY=1"]  # a start may take longer than an answer
    for sock in waiting:
        assert sock.recv(12) == b"HTTP/1.1 404"
        sock.close()
    assert server.stop() == 0


def test_second_signal_during_a_restart_ends_sessions_at_once(manager, tmp_path):
    server = manager.start(local_server(tmp_path, manager.address, sessions={"shutdownGrace": "10m"}))
    assert manager.told() == "READY=1"
    server.addresses = [manager.address]
    workload = SHELL.named(type="training")
    client = Client(server, server.token()).settle(workload)
    with client.exec(workload, "sleep", "1000") as session, dial(manager.address):  # one that asks for nothing
        server.signal(signal.SIGTERM)
        assert manager.told() == "STOPPING=1"
        server.signal(signal.SIGTERM)
        assert session.read_close(60) == Closed(1001, "server shutting down")
    assert server.process.wait(timeout=60) == 0


def test_socket_that_the_configuration_does_not_name_is_refused(manager, tmp_path):
    server = manager.start(local_server(tmp_path, ("127.0.0.1", 0)))
    server.stop()
    server.config.write_text(yaml.safe_dump(server.settings | {"listen": "127.0.0.2:0"}))
    manager.start(server)
    assert server.process.wait(timeout=20) == 2
    assert f"the service manager hands over a socket of 127.0.0.1:{manager.address[1]}" in server.output


def test_workloads_do_not_inherit_the_sockets(manager, tmp_path):
    server = manager.start(local_server(tmp_path, manager.address))
    assert manager.told() == "READY=1"
    client = Client(server, server.token())
    server.addresses = [manager.address]
    eventually(lambda: client.phase(SHELL.named(type="training")) == "Running", "Running")
    output, _ = client.run(SHELL.named(type="training"), "sh", "-c", "env | grep -E 'LISTEN_|NOTIFY'; ls /proc/self/fd")
    assert output.split() == [b"0", b"1", b"2", b"3"]  # the last is the folder itself
    assert server.stop() == 0


def test_local_backend_does_not_hand_over_and_says_why(serve):
    client = serve(SHELL)
    client.server.signal(signal.SIGUSR2)
    reason = "the workloads of the local backend are this process's own"
    eventually(lambda: reason in client.server.output, "a log line")
    assert client.server.process.poll() is None
    assert client.get(f"{BASE}/status").status == 200


# --- SIGUSR2 ---


class Pair:
    """A server of a cluster, and the one that it hands over to."""

    def __init__(self, folder):
        self.api = ApiServer()
        (folder / "kubeconfig").write_text(self.api.kubeconfig())
        self.program = folder / "sluiced"  # replaced, as an upgrade does
        shutil.copy(SLUICED, self.program)
        kubernetes = {"kubeconfig": "kubeconfig", "mapping": "kubernetes", "stateDir": "state"}
        audit = {"file": "audit.log", "maxSize": 4096, "keep": 100}
        self.server = Server(folder, settings(backend={"kind": "kubernetes", "kubernetes": kubernetes}, audit=audit))
        self.folder = folder

    def start(self, **environment):
        self.server.program = str(self.program)
        self.server.runner = ["env", *(f"{name}={value}" for name, value in environment.items())]
        self.server.start()
        self.client = Client(self.server, self.server.token())
        return self

    def configure(self, **changes):
        """What a server reads that starts from now on."""
        self.server.config.write_text(yaml.safe_dump(self.server.settings | changes))

    def replace_program(self):
        """By rename, since a program that runs can't be written."""
        shutil.copy(SLUICED, self.folder / "new")
        (self.folder / "new").rename(self.program)

    def successors(self):
        return [pid for pid in with_argument(str(self.server.config)) if pid != self.server.pid
                and "sluice-host" not in read(pathlib.Path(f"/proc/{pid}/comm"))]

    def hand_over(self):
        """The new server's pid."""
        self.server.signal(signal.SIGUSR2)
        found = eventually(lambda: re.search(r'"handed over","pid":(\d+),', self.server.output), "handed over", START)
        return int(found.group(1))

    def close(self):
        for pid in [self.server.pid, *self.successors()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.server.process.wait()
        self.api.close()


@pytest.fixture
def pair(tmp_path):
    one = Pair(tmp_path)
    yield one
    one.close()


def running(pid):
    return pid in with_argument("sluiced")


def test_sessions_live_on_and_no_connection_is_refused(pair):
    pair.start()
    with pair.client.open(TICKER.path("logs"), {"follow": "true"}) as follow:
        first = follow.message()
        statuses, stop = [], threading.Event()

        def knock():
            while not stop.is_set() or len(statuses) < 200:
                statuses.append(pair.client.get(f"{BASE}/status").status)

        knocking = threading.Thread(target=knock)
        knocking.start()
        pair.replace_program()
        successor = pair.hand_over()
        stop.set()
        knocking.join()
        assert set(statuses) == {200}
        assert os.readlink(f"/proc/{successor}/exe") == str(pair.program)
        assert "(deleted)" in os.readlink(f"/proc/{pair.server.pid}/exe")
        # The old server still tells the old session every line, and the new one takes new sessions.
        lines = first
        while lines.count(b"\n") < 200:
            lines += follow.message()
        assert [int(line) for line in lines.split()] == list(range(lines.count(b"\n")))
        with pair.client.open(TICKER.path("logs"), {"follow": "true"}) as other:
            assert other.message().startswith(b"0\n")
        assert pair.server.process.poll() is None
    assert pair.server.process.wait(timeout=20) == 0  # its last session has ended
    assert running(successor)
    assert pair.client.get(f"{BASE}/status").status == 200


def test_new_server_is_nobodys_child_and_can_hand_over_in_turn(pair):
    pair.start()
    first = pair.hand_over()
    assert pair.server.process.wait(timeout=20) == 0
    assert int(re.search(r"PPid:\t(\d+)", read(pathlib.Path(f"/proc/{first}/status"))).group(1)) != pair.server.pid
    os.kill(first, signal.SIGUSR2)
    eventually(lambda: not running(first), "the first has ended", START)
    (second,) = pair.successors()  # not before: the process that starts it has the same command line
    assert pair.client.get(f"{BASE}/status").status == 200
    os.kill(second, signal.SIGTERM)
    eventually(lambda: not running(second), "the end", 20)


def test_bad_configuration_leaves_the_old_server_serving(pair):
    pair.start()
    before = pair.server.config.read_text()
    pair.configure(listen="nonsense")
    pair.server.signal(signal.SIGUSR2)
    eventually(lambda: "not handed over; this server goes on serving" in pair.server.output, "a log line", START)
    assert '"nonsense" is no listen address' in pair.server.output
    eventually(lambda: not pair.successors(), "it has ended")
    with pair.client.open(TICKER.path("logs"), {"follow": "true"}) as follow:
        assert follow.message().startswith(b"0\n")
    pair.server.config.write_text(before)
    assert running(pair.hand_over())


def test_missing_program_leaves_the_old_server_serving(pair):
    pair.start()
    pair.program.rename(pair.folder / "moved")
    pair.server.signal(signal.SIGUSR2)
    eventually(lambda: "not handed over; this server goes on serving" in pair.server.output, "a log line")
    assert "the new server can't be started" in pair.server.output
    assert pair.client.get(f"{BASE}/status").status == 200


@pytest.mark.slow
def test_new_server_that_does_not_reach_the_cluster_does_not_take_over(pair):
    pair.start()
    pair.api.silent = True
    pair.server.signal(signal.SIGUSR2)
    eventually(lambda: "not taking over: the cluster doesn't answer" in pair.server.output, "a log line", START)
    eventually(lambda: "not handed over; this server goes on serving" in pair.server.output, "a log line", START)
    eventually(lambda: not pair.successors(), "it has ended", 20)
    assert request(pair.server.admin, "GET", "/readyz", {}).status == 200


def test_admin_listener_goes_along(pair):
    pair.start()
    pair.hand_over()
    assert request(pair.server.admin, "GET", "/readyz", {}).body == b"ready\n"


def test_connection_that_has_asked_nothing_yet_is_answered_by_the_old_server(pair):
    pair.start()
    with dial(pair.server.address) as sock:
        eventually(lambda: metrics(pair.client)["sluice_connections"] == 1, "the old server has taken it")
        pair.hand_over()
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = sock.recv(4096)
        assert answer.startswith(b"HTTP/1.1 404") and b"Connection: close" in answer
    assert pair.server.process.wait(timeout=20) == 0


def test_sigterm_gives_old_sessions_the_grace_of_a_shutdown(pair):
    pair.configure(sessions={"shutdownGrace": "200ms"})
    pair.start()
    with pair.client.open(TICKER.path("logs"), {"follow": "true"}) as follow:
        pair.hand_over()
        pair.server.signal(signal.SIGTERM)
        _, closed = follow.read_all()
        assert closed == Closed(1001, "server shutting down")
    assert pair.server.process.wait(timeout=20) == 0


def test_upgrade_grace_ends_old_sessions(pair):
    pair.configure(sessions={"upgradeGrace": "300ms"})
    pair.start()
    with pair.client.open(TICKER.path("logs"), {"follow": "true"}) as follow:
        pair.hand_over()
        _, closed = follow.read_all()
        assert closed == Closed(1001, "server shutting down")
    assert pair.server.process.wait(timeout=20) == 0


def test_service_manager_learns_of_the_new_main_process(pair, tmp_path):
    manager = ServiceManager(tmp_path)
    pair.start(NOTIFY_SOCKET=tmp_path / "notify")
    assert manager.told() == "READY=1"
    successor = pair.hand_over()
    assert manager.told() == f"MAINPID={successor}"
    os.kill(successor, signal.SIGTERM)
    assert manager.told() == "STOPPING=1"
    manager.close()


def test_both_keep_one_audit_trail(pair):
    pair.start()
    with pair.client.open(TICKER.path("logs"), {"follow": "true"}) as follow:
        follow.message()
        pair.hand_over()
        for _ in range(30):
            assert pair.client.get(f"{BASE}/status").status == 200
    assert pair.server.process.wait(timeout=20) == 0
    # The old server writes all of its own before it ends, the new one a moment after it has answered.
    eventually(lambda: trail(pair.folder).count(f'"path":"{BASE}/status"') == 30, "the requests are on record")
    text = trail(pair.folder)
    assert text.count('"event":"session begin"') == text.count('"event":"session end"') == 1
    assert len(list(pair.folder.glob("audit.log*"))) > 1


def trail(folder):
    """All of an audit trail, as far as it is there: its files may be rotated meanwhile."""
    return "".join(read(path) for path in folder.glob("audit.log*"))
