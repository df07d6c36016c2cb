"""sluice logs --all-pods: a workload's logs as one."""
import json
import os
import pty
import re
import socket
import subprocess

import pytest

from support.catalogue import DUO, PAIR, PROJECT, RERUN, Workload, shell
from support.cli import SLUICE, Cli, StderrLines, interrupt
from support.local import describe
from support.proxy import Proxy
from support.threaded import ThreadedListener, join, read_head
from support.waiting import eventually

pytestmark = pytest.mark.local  # what they look at is the program, whatever runs the workloads

COUNT = 20000
COUNTING = Workload("counting", (shell(f"i=0; while [ $i -lt {COUNT} ]; do i=$((i+1)); echo $i $SLUICE_POD; done"),),
                    replicas=3, phase="Completed")
MIB = 1 << 20
LOUD = Workload("loud", (shell(f"yes loudly | head -c {32 * MIB}; exec sleep 1000000"),), replicas=2)
STEADY = Workload("steady", (shell("i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"),), replicas=2)


@pytest.fixture
def cli(platform, tmp_path):
    return Cli(platform.server, platform.token("alice"), PROJECT, tmp_path)


def cli_of(client, folder):
    return Cli(client.server, client.token, PROJECT, folder)


class HauntedServer(ThreadedListener):
    """A server before the real one: its lists of pods begin with one that isn't there."""

    def __init__(self, client, workload):
        self._client, self._workload = client, workload
        super().__init__()

    def serve(self, connection):
        head = read_head(connection)
        if head.split(b" ")[1].endswith(b"/pods"):
            pods = self._client.get(self._workload.path("pods")).json["pods"]
            body = json.dumps({"pods": [pods[0] | {"name": "ghost"}, *pods]}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            return
        server = socket.create_connection(self._client.server.address)
        server.sendall(head)
        join(connection, server)


class DyingServer(ThreadedListener):
    """A server before the real one, whose pods are listed though they are deleted: each log ends with its first lines.
    `lists` and `logs` count what was asked for."""

    def __init__(self, client, workload):
        self._client, self._workload = client, workload
        self._pods = client.get(workload.path("pods")).body
        self.lists, self.logs = 0, 0
        super().__init__()

    def serve(self, connection):
        head = read_head(connection)
        path = head.split(b" ")[1].partition(b"?")[0]
        if path.endswith(b"/pods"):
            self.lists += 1
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(self._pods), self._pods))
            return
        server = socket.create_connection(self._client.server.address)
        server.sendall(head)
        if not path.endswith(b"/logs"):
            join(connection, server)
            return
        self.logs += 1
        connection.sendall(read_head(server))
        frame = server.recv(2, socket.MSG_WAITALL)
        connection.sendall(frame + server.recv(frame[1], socket.MSG_WAITALL))
        reason = b"pod deleted"
        connection.sendall(bytes([0x88, 2 + len(reason), 0x03, 0xE9]) + reason)
        server.close()


def by_pod(output):
    """The lines of each pod."""
    lines = {}
    for line in output.splitlines():
        pod, _, text = line.decode().partition(" ")
        lines.setdefault(pod, []).append(text)
    return lines


# --- once ---


def test_lines_of_all_containers_say_where_they_are_from(platform, cli):
    done = cli.run("training", "pytorch", "logs", "pair", "--all-pods")
    assert (done.returncode, done.stderr) == (0, b"")
    pods = [platform.pod(PAIR, index) for index in range(2)]
    assert done.stdout.decode().splitlines() == [
        line for pod in pods for line in (f"{pod}/sidecar I am the sidecar", f"{pod}/pair I am {pod}")]


def test_prefix_is_the_pod_where_each_has_one_container(platform, cli):
    pod = platform.pod(DUO)
    assert cli.run("training", "logs", "duo", "--all-pods", "-c", "beta").stdout.decode() == f"{pod} I am beta\n"


def test_options_apply_to_each(cli):
    lines = cli.run("training", "pytorch", "logs", "pair", "--all-pods", "--limit-bytes", "4").stdout.splitlines()
    assert [line.split(b" ", 1)[1] for line in lines] == [b"I am"] * 4
    lines = cli.run("training", "logs", "duo", "--all-pods", "--timestamps").stdout.splitlines()
    assert all(re.fullmatch(rb"duo\S+ \d{4}-\S+Z I am \w+", line) for line in lines)
    assert cli.run("training", "pytorch", "logs", "pair", "--all-pods", "-t", "0").stdout == b""


def test_all_pods_to_a_file(cli, tmp_path):
    shown = cli.run("training", "logs", "duo", "--all-pods").stdout
    assert cli.run("training", "logs", "duo", "--all-pods", "-o", str(tmp_path / "log")).returncode == 0
    assert (tmp_path / "log").read_bytes() == shown


@pytest.mark.parametrize("arguments, code", [
    (("duo", "--all-pods", "--pod", "x"), 2), (("duo", "--all-pods", "-c", "nope"), 4),
    (("nope", "--all-pods"), 4), (("empty", "--all-pods"), 4)])
def test_what_cannot_be_is_refused(cli, arguments, code):
    done = cli.run("training", "logs", *arguments)
    assert (done.returncode, done.stdout) == (code, b"")


def test_prefixes_are_coloured_by_pod_at_a_terminal_unless_unwanted(platform, cli):
    def shown(**environment):
        master, slave = pty.openpty()
        process = subprocess.Popen([SLUICE, "training", "pytorch", "logs", "pair", "--all-pods"], stdout=slave,
                                   env=cli.environment | {"TERM": "xterm"} | environment)
        assert process.wait(30) == 0
        os.close(slave)
        output = b""
        while output.count(b"\n") < 4:
            output += os.read(master, 4096)
        os.close(master)
        return output.decode()
    first, second = (platform.pod(PAIR, index) for index in range(2))
    assert f"\x1b[36m{first}/pair\x1b[0m I am" in shown()
    assert f"\x1b[33m{second}/pair\x1b[0m I am" in shown()
    for unwanted in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in shown(**unwanted)


def test_pod_that_fails_is_reported_and_harms_no_other(client, cli):
    expected = cli.run("training", "logs", "duo", "--all-pods").stdout
    haunted = HauntedServer(client, DUO)
    done = cli.run("training", "logs", "duo", "--all-pods",
                   SLUICE_SERVER="http://{}:{}/cluster-api".format(*haunted.address))
    haunted.close()
    assert (done.returncode, done.stdout) == (1, expected)
    said = done.stderr.decode().splitlines()
    assert [line.split(": ")[1] for line in said] == ["ghost/alpha", "ghost/beta"]
    assert all("ghost" in line.split(": ", 2)[2] for line in said)


# --- following ---


def test_pod_that_cannot_be_followed_is_reported_once_and_harms_no_other(serve, tmp_path):
    client = serve(STEADY).settle(STEADY)
    haunted = HauntedServer(client, STEADY)
    process = cli_of(client, tmp_path).start("training", "logs", "-f", "steady", "--all-pods",
                                             SLUICE_SERVER="http://{}:{}/cluster-api".format(*haunted.address))
    lines = by_pod(b"".join(process.stdout.readline() for _ in range(400)))  # longer than until the next look
    assert interrupt(process) == 130
    haunted.close()
    assert len(lines) == 2
    for texts in lines.values():
        assert texts == [str(i) for i in range(1, len(texts) + 1)]
    said, = process.communicate()[1].decode().splitlines()
    assert said.startswith("sluice: ghost: ")


def test_no_line_is_torn_lost_or_repeated_and_the_end_is_that_of_the_workload(serve, tmp_path):
    client = serve(COUNTING)
    done = cli_of(client, tmp_path).run("logs", "-f", "counting", "--all-pods", timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = by_pod(done.stdout)
    assert len(lines) == 3
    for pod, texts in lines.items():
        assert texts == [f"{i} {pod}" for i in range(1, COUNT + 1)]


def test_a_follow_of_all_survives_cuts(serve, tmp_path):
    client = serve(STEADY).settle(STEADY)
    proxy = Proxy(client.server.address)
    process = cli_of(client, tmp_path).start("logs", "-f", "steady", "--all-pods", "--tail", "1",
                                             SLUICE_SERVER=f"http://127.0.0.1:{proxy.port}/cluster-api")
    said = StderrLines(process)
    pods = ("steady-0-0", "steady-0-1")
    lines = b""
    for count in range(5000):
        lines += process.stdout.readline()
        # Lines say nothing of now, for many may be in the pipe: what it says tells how often it was cut and came back.
        if all(said.count(f"sluice: {pod}: connected again") >= 2 for pod in pods):
            break
        if count % 100 == 50:
            proxy.cut()
    assert interrupt(process) == 130
    said.end()
    process.communicate()
    proxy.close()
    assert all(said.count(f"sluice: {pod}: connected again") >= 2 for pod in pods)
    assert set(by_pod(lines)) == set(pods)
    for texts in by_pod(lines).values():
        assert texts == [str(i) for i in range(int(texts[0]), int(texts[0]) + len(texts))]


@pytest.mark.local
def test_pods_that_come_are_included_from_their_first_line_and_those_that_go_are_told_of(serve, tmp_path):
    one, two = (Workload("steady", STEADY.containers, replicas=replicas) for replicas in (1, 2))
    client = serve(one).settle(one)
    process = cli_of(client, tmp_path).start("logs", "-f", "steady", "--all-pods", "--tail", "0")
    process.stdout.readline()
    client.server.reload(describe(two))  # also replaces the first
    assert process.stderr.readline() == b"sluice: steady-0-0: pod deleted\n"
    firsts = {}
    while len(firsts) < 2:
        pod, number = process.stdout.readline().decode().split()
        if pod in firsts or pod == "steady-0-0" and number != "1":
            continue  # the one before it
        firsts[pod] = number
    assert firsts == {"steady-0-0": "1", "steady-0-1": "1"}
    assert interrupt(process) == 130
    process.communicate()


@pytest.mark.local
def test_pod_that_is_deleted_and_still_listed_is_told_of_once(serve, tmp_path):
    client = serve(STEADY).settle(STEADY)
    dying = DyingServer(client, STEADY)
    process = cli_of(client, tmp_path).start("training", "logs", "-f", "steady", "--all-pods",
                                             SLUICE_SERVER="http://{}:{}/cluster-api".format(*dying.address))
    eventually(lambda: dying.lists >= 5, "it has looked for pods again and again, every 2 s", timeout=60)
    assert interrupt(process) == 130
    dying.close()
    said = process.communicate()[1].decode().splitlines()
    assert sorted(said) == ["sluice: steady-0-0: pod deleted", "sluice: steady-0-1: pod deleted"]
    assert dying.logs <= 2 * 2  # each pod's, and once more for one that takes its name


@pytest.mark.local
def test_runs_after_a_restart_are_included(serve, tmp_path):
    client = serve(RERUN).settle(RERUN)
    process = cli_of(client, tmp_path).start("logs", "-f", "rerun", "--all-pods")
    seen = set()
    for _ in range(3):
        line = process.stdout.readline()
        assert line not in seen
        seen.add(line)
        client.run(RERUN, "kill", line.split()[2].decode())
    assert interrupt(process) == 130
    process.communicate()


def test_slow_reader_slows_the_logs_down_and_memory_stays(serve, tmp_path):
    client = serve(LOUD).settle(LOUD)
    process = cli_of(client, tmp_path).start("logs", "-f", "loud", "--all-pods")
    expected = 2 * (32 * MIB // len("loudly\n")) * len("loud-0-0 loudly\n")
    got = 0
    while got < expected // 2:
        got += len(process.stdout.read(1 << 20))
    status = open(f"/proc/{process.pid}/status", encoding="ascii").read()
    limit_mib = 256 if "debug" in SLUICE else 32  # AddressSanitizer keeps what was freed
    assert int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) < limit_mib * 1024
    assert interrupt(process) == 130
    process.communicate()
