"""sluice port-forward: local ports, and stdin and stdout."""
import hashlib
import os
import socket
import threading

import pytest

from support.catalogue import PROJECT
from support.cli import Cli, interrupt
from support.tcp import Listener, receive_all, unused_port


@pytest.fixture
def cli(platform, tmp_path):
    return Cli(platform.server, platform.token("alice"), PROJECT, tmp_path)


@pytest.fixture
def pod():
    """What listens in the pod."""
    listener = Listener()
    yield listener
    listener.close()


class Forward:
    """The program, and where it listens for each port asked for."""

    def __init__(self, cli, *ports):
        options = [word for port in ports for word in ("--port", port)]
        self.process = cli.start("workspace", "port-forward", "shell", *options)
        self.ports = []
        for _ in ports:
            address, _, self.remote = self.process.stdout.readline().decode().strip().partition(" -> ")
            self.ports.append(int(address.rpartition(":")[2]))

    def connect(self, index=0):
        return socket.create_connection(("127.0.0.1", self.ports[index]), timeout=20)


@pytest.fixture
def forward(cli):
    started = []

    def start(*ports):
        started.append(Forward(cli, *ports))
        return started[-1]

    yield start
    for one in started:
        assert interrupt(one.process) == 130
        one.process.communicate()


def test_bytes_go_both_ways_until_the_pod_has_ended(forward, pod):
    with forward(f":{pod.port}").connect() as local:
        remote = pod.accept()
        local.sendall(b"ping")
        assert remote.recv(4) == b"ping"
        remote.sendall(b"pong")
        remote.close()
        assert receive_all(local) == b"pong"


@pytest.mark.local  # a cluster's protocol has no way to say it (contract §7)
def test_each_direction_has_an_end_of_its_own(forward, pod):
    with forward(f":{pod.port}").connect() as local:
        remote = pod.accept()
        local.shutdown(socket.SHUT_WR)
        assert receive_all(remote) == b""
        remote.sendall(b"pong")
        remote.close()
        assert receive_all(local) == b"pong"


def test_large_transfers_are_whole(forward, pod):
    data = os.urandom(20 << 20)
    with forward(f":{pod.port}").connect() as local:
        remote = pod.accept()
        sender = threading.Thread(target=lambda: (remote.sendall(data), remote.close()))
        sender.start()
        assert hashlib.sha256(receive_all(local)).digest() == hashlib.sha256(data).digest()
        sender.join()


def test_many_connections_at_once_are_apart(forward, pod):
    forwarded = forward(f":{pod.port}")
    pairs = []
    for number in range(50):
        local = forwarded.connect()
        pairs.append((number, local, pod.accept()))
    for number, local, _ in pairs:
        local.sendall(b"%02d" % number)
    for number, local, remote in pairs:
        assert remote.recv(2) == b"%02d" % number
        local.close()
        remote.close()


def test_a_refused_connection_harms_no_other(forward, pod):
    forwarded = forward(f":{unused_port()}", f":{pod.port}")
    with forwarded.connect(1) as local:
        remote = pod.accept()
        with forwarded.connect(0) as refused, pytest.raises(ConnectionResetError):
            receive_all(refused)
        assert b"connection refused" in forwarded.process.stderr.readline()
        local.sendall(b"still")
        assert remote.recv(5) == b"still"
        remote.close()


def test_stdio(cli, pod):
    process = cli.start("workspace", "port-forward", "shell", "--stdio", str(pod.port))
    process.stdin.write(b"ping")
    process.stdin.flush()
    remote = pod.accept()
    assert remote.recv(4) == b"ping"
    remote.sendall(b"pong")
    remote.close()
    assert process.stdout.read() == b"pong"
    assert process.wait(20) == 0
    process.communicate()


@pytest.mark.parametrize("options, words", [
    ((), "--port"), (("--port", "0"), "65535"), (("--port", "x:1"), "x"), (("--stdio", "70000"), "65535"),
    (("--port", "1", "--address", "nowhere"), "nowhere")])
def test_bad_options(cli, options, words):
    done = cli.run("workspace", "port-forward", "shell", *options)
    assert done.returncode == 2
    assert words in done.stderr.decode()


def test_a_local_port_that_is_taken(cli, pod):
    done = cli.run("workspace", "port-forward", "shell", "--port", f"{pod.port}:80")
    assert done.returncode == 2
    assert "in use" in done.stderr.decode()


# --- what is known before anybody connects ---


@pytest.mark.parametrize("arguments, code, words", [
    (("workspace", "port-forward", "nope"), 4, 'no workload "nope"'),
    (("workspace", "port-forward", "shell", "--pod", "nope"), 4, 'no pod "nope"'),
    (("workspace", "port-forward", "shell", "-c", "zzz"), 4, 'no container "zzz"'),
    (("training", "port-forward", "finished"), 1, "has ended"),
    (("training", "port-forward", "empty"), 1, "no pods")])
def test_what_cannot_be_forwarded_to_is_refused_at_once(cli, arguments, code, words):
    done = cli.run(*arguments, "--port", ":80")
    assert (done.returncode, done.stdout) == (code, b"")
    assert words in done.stderr.decode()


def test_who_may_not_forward_is_refused_at_once(platform, tmp_path):
    stranger = Cli(platform.server, platform.token("stranger"), PROJECT, tmp_path)
    done = stranger.run("workspace", "port-forward", "shell", "--port", ":80")
    assert (done.returncode, done.stdout) == (3, b"")


def test_stdio_to_a_closed_port_is_a_failure_of_the_workload(cli):
    done = cli.run("workspace", "port-forward", "shell", "--stdio", str(unused_port()))
    assert (done.returncode, done.stdout) == (1, b"")
