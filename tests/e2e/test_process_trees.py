"""Contract §9: whole process trees end, with cgroups and without, also when nobody is left to ask."""
import contextlib
import os
import pathlib
import re
import signal
import uuid

import pytest

from support import cgroups
from support.catalogue import LINES, SHELL, Container, Workload
from support.client import Client
from support.local import describe, settings
from support.processes import with_argument
from support.server import Server
from support.waiting import eventually

pytestmark = pytest.mark.local
NO_CGROUPS = "process trees are ended without cgroups"
READ_ONLY = ["unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro "$0" && exec "$@"']
WITHIN = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"']
# Each process starts the next one in a session of its own and ends: 20 at a time, for 70 s at most.
BOMB = """
trap '' TERM HUP
export BOMB='[ $(date +%s) -gt $1 ] || setsid sh -c "$BOMB" "$0" $1 &'
until=$(($(date +%s) + 70))
for i in $(seq 20); do sh -c "$BOMB" "$0" $until & done
while :; do sleep 0.1; done
"""
GONE = 30  # seconds: it is asked to end first, and keeps the machine busy meanwhile


def bomb(marker):
    return Workload("bomb", (Container(("/bin/sh", "-c", BOMB, str(marker))),))


def writable():
    """Whether we may make cgroups, and so a server that we start."""
    try:
        trial = cgroups.directory_of("self") / f"e2e-trial-{os.getpid()}"
        trial.mkdir()
        trial.rmdir()
        return True
    except (OSError, TypeError):
        return False


@contextlib.contextmanager
def own_cgroup():
    """A cgroup that is the test's alone: a server that starts elsewhere ends what is left of others in its own."""
    directory = cgroups.directory_of("self") / f"e2e-{uuid.uuid4()}"
    directory.mkdir()
    yield directory

    def removed():
        try:
            directory.rmdir()
            return True
        except OSError:
            return False  # the last process of a server is about to remove its own
    eventually(removed, "no process and no cgroup is left")


@pytest.fixture(params=["cgroups", "no-cgroups"])
def start(request, tmp_path):
    """start(*workloads) starts a server and gives alice's client."""
    servers = []
    runner = []

    def start_server(*workloads):
        server = Server(tmp_path, settings(), describe(*workloads))
        server.runner = runner
        servers.append(server)
        server.start()
        return Client(server, server.token())

    if request.param == "cgroups" and not writable():
        pytest.skip("no cgroup2 hierarchy that we may write")
    if request.param == "no-cgroups" and writable() and os.geteuid() != 0:
        pytest.skip("hiding the cgroups takes root")
    start_server.with_cgroups = request.param == "cgroups"
    with own_cgroup() if start_server.with_cgroups else contextlib.nullcontext() as directory:
        if directory:
            runner += [*WITHIN, str(directory)]
        elif cgroups.mount_point():
            runner += [*READ_ONLY, str(cgroups.mount_point())]
        yield start_server
        for server in servers:
            server.stop()


def test_the_log_says_once_when_there_are_no_cgroups(start):
    client = start(LINES)
    if not start.with_cgroups:
        eventually(lambda: NO_CGROUPS in client.server.output, "a log line")
    assert client.server.output.count(NO_CGROUPS) == (0 if start.with_cgroups else 1)


@pytest.mark.slow
def test_what_keeps_forking_is_gone_when_its_workload_was_removed(start, tmp_path):
    client = start(bomb(tmp_path / "bomb"), LINES)
    eventually(lambda: len(with_argument(f"{tmp_path}/bomb")) > 5, "it multiplies", 30)
    client.server.reload(describe(LINES))
    eventually(lambda: not with_argument(f"{tmp_path}/bomb"), "all are gone", GONE)


@pytest.mark.slow
def test_what_keeps_forking_is_gone_after_its_exec_was_dropped(start, tmp_path):
    client = start(SHELL)
    eventually(lambda: client.get(SHELL.path("status")).json["phase"] == "Running", "Running")
    session = client.exec(SHELL, "sh", "-c", BOMB, f"{tmp_path}/bomb")
    eventually(lambda: len(with_argument(f"{tmp_path}/bomb")) > 5, "it multiplies", 30)
    session.drop()
    eventually(lambda: not with_argument(f"{tmp_path}/bomb"), "all are gone", GONE)


def test_what_keeps_forking_is_gone_after_kill_9_of_the_server(start, tmp_path):
    client = start(bomb(tmp_path / "bomb"))
    eventually(lambda: len(with_argument(f"{tmp_path}/bomb")) > 5, "it multiplies", 30)
    client.server.signal(signal.SIGKILL)
    client.server.process.wait(timeout=10)
    eventually(lambda: not with_argument(f"{tmp_path}/bomb"), "all are gone", GONE)


# --- the cgroups themselves ---


with_cgroups = pytest.mark.parametrize("start", ["cgroups"], indirect=True)


def only_with(marker):
    return eventually(lambda: with_argument(marker), "the process")[0]


@with_cgroups
def test_run_and_exec_have_cgroups_of_their_own_which_end_with_them(start, tmp_path):
    script = "while :; do sleep 0.1; done"
    client = start(Workload("one", (Container(("/bin/sh", "-c", script, f"{tmp_path}-run")),)))
    run = cgroups.directory_of(only_with(f"{tmp_path}-run"))
    assert re.fullmatch(r"run-one-0-0-main-\d+", run.name)
    one = Workload("one", ())
    eventually(lambda: client.get(one.path("status")).json["phase"] == "Running", "Running")
    session = client.exec(one, "sh", "-c", script, f"{tmp_path}-exec")
    command = cgroups.directory_of(only_with(f"{tmp_path}-exec"))
    assert re.fullmatch(r"exec-one-0-0-main-\d+", command.name)
    assert command.parent == run.parent != cgroups.directory_of(client.server.pid)
    session.drop()
    eventually(lambda: not command.exists(), "the exec's is removed")
    assert run.exists()
    assert client.server.stop() == 0
    assert not run.parent.exists()


def children(pid):
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"\nPPid:\t{pid}\n" in (folder / "status").read_text():
                found.append(int(folder.name))
        except OSError:
            pass  # it ended while we looked
    return found


@with_cgroups
def test_the_next_server_ends_what_is_left_when_every_process_of_the_last_was_killed(start,
                                                                                     tmp_path):
    script = "setsid sh -c 'while :; do sleep 0.1; done' \"$0\"-orphan & wait"
    client = start(Workload("one", (Container(("/bin/sh", "-c", script, str(tmp_path))),)))
    orphan = only_with(f"{tmp_path}-orphan")
    left = cgroups.directory_of(orphan).parent
    host, = children(client.server.pid)
    for pid in [host, *children(host), client.server.pid]:
        os.kill(pid, signal.SIGKILL)
    client.server.process.wait(timeout=10)
    assert with_argument(f"{tmp_path}-orphan") and left.exists()
    start(LINES)
    eventually(lambda: not with_argument(f"{tmp_path}-orphan"), "it is gone")
    eventually(lambda: not left.exists(), "its cgroup is removed")
