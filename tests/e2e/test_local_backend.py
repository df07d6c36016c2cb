"""Contract §9 and §10: the local backend's processes and reload; its logs are in test_local_logs.py."""
import os
import signal
import socket

import pytest

from support.catalogue import (BASE, LINES, PROJECT, SHELL, TICKER, Container,
                               Workload, shell)
from support.client import argv
from support.local import describe
from support.processes import with_argument
from support.rawws import Closed
from support.waiting import eventually

pytestmark = pytest.mark.local


def runs(client, workload):
    return b"".join(client.logs(workload)[0])


# --- environment ---


def test_each_container_gets_its_names_as_variables(serve):
    names = ["PROJECT", "WORKLOAD", "POD", "CONTAINER", "REPLICA_INDEX"]
    script = "echo " + " ".join(f"$SLUICE_{name}" for name in names)
    client = serve(told := Workload("told", (shell(script),), replicas=2))
    for index in (0, 1):
        eventually(lambda: client.phase(told) == "Completed", "Completed")
        lines = client.logs(told, pod=f"told-0-{index}")[0]
        assert lines == [f"{PROJECT} told told-0-{index} main {index}\n".encode()]


def test_env_and_working_dir(serve, tmp_path):
    options = {"env": {"A": "x y", "B": "1"}, "workingDir": str(tmp_path)}
    client = serve(set_up := Workload("env", (shell('echo "$A$B"; pwd', **options),)))
    eventually(lambda: client.phase(set_up) == "Completed", "Completed")
    assert runs(client, set_up) == f"x y1\n{tmp_path}\n".encode()


def test_container_name_defaults_to_the_workloads(serve):
    projects = describe(Workload("named", (shell("sleep 1000000"),)))
    del projects[PROJECT][0]["containers"][0]["name"]
    client = serve(LINES)
    client.server.reload(projects)
    named = Workload("named", ())
    eventually(lambda: client.phase(named) == "Running", "reloaded")
    output, _ = client.run(named, "sh", "-c", "echo $SLUICE_CONTAINER")
    assert output == b"named\n"


def test_each_container_runs_in_a_session_of_its_own(serve):
    client = serve(Workload("one", (shell("exec sleep 1000000.25"),)))
    pid, = eventually(lambda: with_argument("1000000.25"), "the process")
    assert os.getsid(pid) == pid != os.getsid(client.server.pid)


# --- restart ---


def counting(folder, restart, code, name="again"):
    script = f"echo run >> {folder}/{name}; exit {code}"
    return Workload(name, (shell(script, restart=restart),))


def count(folder, name="again"):
    path = folder / name
    return path.read_text().count("run") if path.exists() else 0


@pytest.mark.parametrize("restart, code, again", [
    ("Never", 0, False), ("Never", 1, False), ("OnFailure", 0, False), ("OnFailure", 1, True),
    ("Always", 0, True), ("Always", 1, True)])
def test_restart_policy(serve, tmp_path, restart, code, again):
    workload = counting(tmp_path, restart, code)
    client = serve(workload)
    if again:
        eventually(lambda: count(tmp_path) >= 2, "a restart at once")
    else:
        expected = "Failed" if code else "Completed"
        eventually(lambda: client.phase(workload) == expected, expected)
        assert count(tmp_path) == 1


def restart_times(client, folder):
    """When the first four runs of a container that fails at once began."""
    folder.mkdir()
    script = f"date +%s.%N >> {folder}/times; exit 1"
    client.server.reload(describe(Workload(folder.name, (shell(script, restart="Always"),))))

    def times():
        path = folder / "times"
        return path.read_text().split() if path.exists() else []
    return list(map(float, eventually(lambda: len(times()) >= 4 and times()[:4], "three restarts", timeout=30)))


def test_restarts_come_at_once_then_after_1_then_2_s(serve, tmp_path):
    """Never early. A busy machine may make one late, but not every time."""
    client = serve(LINES)
    for number in range(5):
        times = restart_times(client, tmp_path / f"timed{number}")
        waits = [later - earlier for earlier, later in zip(times, times[1:])]
        assert waits[1] > 0.9 and waits[2] > 1.9, waits
        if waits[0] < 0.7 and waits[1] < 1.7 and waits[2] < 2.8:
            return
    raise AssertionError(f"late five times; the last time {waits}")


def test_follow_ends_with_the_run_and_previous_is_the_run_before(serve):
    script = "echo run $$; read line; exit 1"
    client = serve(again := Workload("again", (shell(script, stdin=True, restart="OnFailure"),))).settle(again)
    first = eventually(lambda: runs(client, again), "the first run")
    with client.open(again.path("logs"), "follow=true") as follow:
        with client.open(again.path("attach"), "stdin=true") as attached:
            attached.send(b"end\n")
            assert attached.read_close().code == 1000
        messages, closed = follow.read_all()
    assert (b"".join(messages), closed) == (first, Closed(1000, "container ended"))
    eventually(lambda: runs(client, again) not in (b"", first), "the second run")
    assert b"".join(client.logs(again, previous="true")[0]) == first


# --- reload ---


def test_sighup_starts_new_stops_removed_restarts_changed_and_leaves_the_rest(serve):
    kept = Workload("kept", (shell("echo $$; exec sleep 1000000"),))
    changed = Workload("changed", (shell("echo before; exec sleep 1000000"),))
    removed = Workload("removed", (shell("exec sleep 1000000.5"),))
    added = Workload("added", (shell("echo new; exec sleep 1000000"),))
    client = serve(kept, changed, removed)
    pid = eventually(lambda: runs(client, kept), "kept runs")
    eventually(lambda: runs(client, changed) == b"before\n", "changed runs")
    eventually(lambda: with_argument("1000000.5"), "removed runs")
    after = Workload("changed", (shell("echo after; exec sleep 1000000"),))
    client.server.reload(describe(kept, after, added))
    eventually(lambda: client.get(added.path("status")).status == 200, "added is known")
    eventually(lambda: runs(client, added) == b"new\n", "added runs")
    eventually(lambda: runs(client, after) == b"after\n", "changed is restarted")
    eventually(lambda: client.get(removed.path("status")).status == 500, "removed is gone")
    eventually(lambda: not with_argument("1000000.5"), "its process has ended")
    assert runs(client, kept) == pid


@pytest.mark.parametrize("endpoint, query", [
    ("logs", {"follow": "true"}), ("attach", {}), ("exec", {"command": argv("sleep", "1000")})])
def test_removed_workload_ends_its_sessions_with_1001_pod_deleted(serve, endpoint, query):
    client = serve(LINES, SHELL)
    eventually(lambda: client.phase(SHELL) == "Running", "Running")
    with client.open(SHELL.path(endpoint), query) as session:
        client.server.reload(describe(LINES))
        assert session.read_close() == Closed(1001, "pod deleted")


def test_removed_workload_ends_its_port_forward(serve, listener):
    client = serve(LINES, SHELL)
    eventually(lambda: client.phase(SHELL) == "Running", "Running")
    with client.open(SHELL.path("port-forward"), {"port": listener.port}) as session:
        with listener.accept():
            client.server.reload(describe(LINES))
            assert session.read_close() == Closed(1001, "pod deleted")


def test_removed_workload_ends_its_port_forward_whose_pod_sends_no_more(serve, listener):
    client = serve(LINES, SHELL)
    eventually(lambda: client.phase(SHELL) == "Running", "Running")
    query = {"port": listener.port, "halfClose": "empty"}
    with client.open(SHELL.path("port-forward"), query) as session:
        with listener.accept() as pod:
            pod.shutdown(socket.SHUT_WR)
            assert session.message() == b""
            client.server.reload(describe(LINES))
            assert session.read_close() == Closed(1001, "pod deleted")


def test_broken_file_at_sighup_is_one_clear_log_line_and_nothing_changes(serve):
    client = serve(Workload("kept", (shell("exec sleep 1000000.75"),)))
    before = eventually(lambda: with_argument("1000000.75"), "the process")
    lines = len(client.server.output.splitlines())
    client.server.reload("projects: {project1: [{name: Bad_Name}]}\n")
    eventually(lambda: "workloads.yaml" in client.server.output, "a log line")
    new = client.server.output.splitlines()[lines:]
    assert len(new) == 1, new
    assert with_argument("1000000.75") == before


# --- stopping ---


STUBBORN = "trap '' TERM HUP INT; echo on; while :; do sleep 0.1; done"


def tree(folder):
    """A process, a child, and a grandchild that left the session; all show `folder`."""
    script = (f"sh -c 'sleep 1000000' {folder}-child & "
              f"setsid sh -c 'while :; do sleep 0.1; done' {folder}-grandchild & "
              f"(setsid sh -c 'while :; do sleep 0.1; done' {folder}-orphan &) ; wait")
    return Workload("tree", (Container(("/bin/sh", "-c", script, str(folder))),))


def whole_tree(folder):
    return all(with_argument(f"{folder}-{name}") for name in ("child", "grandchild", "orphan"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whole_process_trees_end_with_the_server(serve, tmp_path, number):
    client = serve(tree(tmp_path))
    eventually(lambda: whole_tree(tmp_path), "the tree")
    client.server.signal(number)
    assert client.server.process.wait(timeout=20) == 0
    assert not processes_of(tmp_path)


def processes_of(folder):
    """Processes that show the folder, without the server and the test itself."""
    return [pid for name in ("child", "grandchild", "orphan")
            for pid in with_argument(f"{folder}-{name}")]


def test_kill_9_of_the_server_leaves_nothing_behind(serve, tmp_path):
    client = serve(workload := tree(tmp_path)).settle(workload)
    eventually(lambda: whole_tree(tmp_path), "the tree")
    with client.exec(workload, "sh", "-c", "while :; do sleep 0.1; done", f"{tmp_path}-child-exec"):
        client.server.signal(signal.SIGKILL)
        client.server.process.wait(timeout=10)
    eventually(lambda: not processes_of(tmp_path), "everything is gone")


def test_removed_workload_takes_its_whole_tree_along(serve, tmp_path):
    client = serve(tree(tmp_path), LINES)
    eventually(lambda: whole_tree(tmp_path), "the tree")
    client.server.reload(describe(LINES))
    eventually(lambda: not processes_of(tmp_path), "everything is gone")


def test_child_that_outlives_the_main_process_is_stopped_with_the_container(serve, tmp_path):
    script = f"setsid sh -c 'while :; do sleep 0.1; done' {tmp_path}-orphan & sleep 0.3; exit 0"
    client = serve(Workload("brief", (shell(script),)))
    eventually(lambda: client.phase(Workload("brief", ())) == "Completed", "Completed")
    eventually(lambda: not with_argument(f"{tmp_path}-orphan"), "the orphan is stopped")


@pytest.mark.slow
def test_stopping_is_sigterm_then_sigkill_after_10_s_and_terminating_meanwhile(serve, tmp_path):
    stubborn = Workload("stubborn", (Container(("/bin/sh", "-c", STUBBORN, f"{tmp_path}-child")),))
    client = serve(stubborn, LINES)
    eventually(lambda: runs(client, stubborn) == b"on\n", "it heeds no signal any more")
    client.server.reload(describe(LINES))
    eventually(lambda: client.phase(stubborn) == "Terminating", "Terminating")
    refused = client.refused(stubborn.path("exec"), {"command": argv("true")})
    assert refused.status == 409
    assert with_argument(f"{tmp_path}-child")
    eventually(lambda: not with_argument(f"{tmp_path}-child"), "SIGKILL after 10 s", timeout=25)


def test_sigterm_reaches_the_process_first(serve, tmp_path):
    script = f"trap 'echo > {tmp_path}/asked; exit' TERM; echo on; while :; do sleep 0.05; done"
    client = serve(polite := Workload("polite", (shell(script),)))
    eventually(lambda: runs(client, polite) == b"on\n", "it runs")
    assert client.server.stop() == 0
    assert (tmp_path / "asked").exists()


# --- names and phases ---


def test_pods_are_named_by_workload_and_index(client):
    answer = client.refused(LINES.path("logs"), "pod=x")
    assert "lines-0-0" in answer.message


def test_same_name_in_two_types_is_two_workloads(serve):
    one = Workload("same", (shell("echo one; exec sleep 1000000"),))
    two = Workload("same", (shell("echo two; exec sleep 1000000"),), type="workspace")
    client = serve(one, two)
    eventually(lambda: runs(client, one) == b"one\n", "one")
    eventually(lambda: runs(client, two) == b"two\n", "two")


def test_one_workload_that_cannot_start_disturbs_nothing_else(serve):
    absent = Workload("absent", (Container(("/nowhere/x",)),))
    client = serve(absent, TICKER)
    eventually(lambda: client.phase(absent) == "Failed", "Failed")
    eventually(lambda: client.phase(TICKER) == "Running", "Running")
    assert client.get(BASE + "/status").json["status"] == "OK"
