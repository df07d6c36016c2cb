"""The lists that clients choose from: workloads of a project, pods of a workload."""
import contextlib
import datetime
import http.client
import json
import re
import signal
import socket
import uuid

import pytest

from support.catalogue import (ALL, BASE, DUO, EMPTY, FAILED, FINISHED, LINES, PAIR, PROJECT, SHELL, Workload,
                               shell)
from support.client import with_query
from support.httpclient import dial
from support.local import describe
from support.platform import GHOST, OPERATOR, VERBS
from support.waiting import eventually


def workloads_of(project):
    return f"{BASE}/api/v1/{project}/workloads"


WORKLOADS = workloads_of(PROJECT)


def identity(entry):
    return entry["type"], entry["name"], entry["framework"]


def listed(client, query=None):
    answer = client.get(WORKLOADS, query)
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"workloads"}
    return answer.json["workloads"]


def pods_of(client, workload):
    answer = client.get(workload.path("pods"))
    assert answer.status == 200, answer
    assert set(answer.json) == {"pods"}
    return answer.json["pods"]


def is_recent(text):
    """A time in the last day, or just now by a clock that is not ours."""
    then = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    age = datetime.datetime.now(datetime.timezone.utc) - then
    return datetime.timedelta(seconds=-5) < age < datetime.timedelta(days=1)


# --- workloads ---


def test_every_workload_is_listed_once_with_what_its_status_says(client):
    entries = listed(client)
    identities = [identity(entry) for entry in entries]
    assert len(identities) == len(set(identities))
    for workload in ALL:
        entry = entries[identities.index((workload.type, workload.name, workload.framework))]
        status = client.get(workload.path("status")).json
        assert is_recent(entry.pop("createdAt"))
        assert entry == {key: value for key, value in status.items() if key != "project"}


@pytest.mark.local
def test_nothing_else_is_listed(client):
    assert len(listed(client)) == len(ALL)


def test_list_is_sorted_by_type_then_name(client):
    identities = [identity(entry) for entry in listed(client)]
    assert identities == sorted(identities)


@pytest.mark.parametrize("kind", ["workspace", "training", "distributed", "inference", "external"])
def test_list_of_one_type(client, kind):
    entries = listed(client, {"type": kind})
    assert entries == [entry for entry in listed(client) if entry["type"] == kind]
    assert {workload.name for workload in ALL if workload.type == kind} <= {entry["name"] for entry in entries}


def test_list_of_one_name(client):
    names = {"name": "one-runai"}  # a workspace, a training and an inference
    assert {entry["type"] for entry in listed(client, names)} == {"workspace", "training", "inference"}
    entry, = listed(client, names | {"type": "training"})
    assert identity(entry) == ("training", "one-runai", "runai")
    assert listed(client, {"name": "one"}) == []


@pytest.mark.parametrize("query", ["type=job", "type=", "type=Training", "type=training&type=training",
                                   "name=a&name=b"])
def test_bad_query_is_400_and_names_the_field(client, query):
    answer = client.get(WORKLOADS, query)
    assert answer.status == 400
    assert query[:4] in answer.message


def test_message_says_what_types_there_are(client):
    assert "training" in client.get(WORKLOADS, "type=job").message


def test_project_that_is_not_there_is_404(platform):
    answer = platform.user(OPERATOR).get(workloads_of(GHOST))
    assert (answer.status, answer.json["code"]) == (404, 404)
    assert GHOST in answer.message


@pytest.mark.parametrize("project", ["A_B", "%2F", "a.b", ""])
def test_project_that_is_no_name_is_400(client, project):
    answer = client.get(workloads_of(project))
    assert answer.status == 400
    assert answer.message.startswith("malformed path parameter: project")


# --- pods ---


@pytest.mark.parametrize("workload", [one for one in ALL if one.replicas], ids=lambda w: w.name + "-" + w.framework)
def test_pods_come_default_first_with_their_containers(client, workload):
    pods = pods_of(client, workload)
    assert len(pods) == workload.replicas
    assert [pod["default"] for pod in pods] == [True] + [False] * (workload.replicas - 1)
    for pod in pods:
        assert [container["name"] for container in pod["containers"]] == [one.name for one in workload.containers]
        assert {container["role"] for container in pod["containers"]} == {"main"}
        assert is_recent(pod["createdAt"])
        assert all(is_recent(container["startedAt"]) for container in pod["containers"])


@pytest.mark.parametrize("workload", [LINES, PAIR, DUO, FINISHED], ids=lambda w: w.name)
def test_default_pod_and_container_are_what_other_requests_take(client, workload):
    pod = pods_of(client, workload)[0]
    container, = [container["name"] for container in pod["containers"] if container["default"]]
    disposition = client.get(workload.path("logs/download")).headers["content-disposition"]
    assert re.search(rf'"{workload.name}_{pod["name"]}_{container}_', disposition)


def test_pods_come_in_the_order_of_their_index(platform, client):
    assert [pod["name"] for pod in pods_of(client, PAIR)] == [platform.pod(PAIR, 0), platform.pod(PAIR, 1)]


def test_running_pod_is_ready(client):
    pod, = pods_of(client, DUO)
    assert (pod["phase"], pod["ready"], pod["restarts"]) == ("Running", True, 0)
    assert "reason" not in pod
    for container in pod["containers"]:
        assert (container["state"], container["ready"], container["restarts"]) == ("running", True, 0)
        assert "exitCode" not in container


@pytest.mark.parametrize("workload, phase, code", [(FINISHED, "Succeeded", 0), (FAILED, "Failed", 3)],
                         ids=lambda x: getattr(x, "name", str(x)))
def test_pod_that_has_ended_tells_its_exit_code(client, workload, phase, code):
    pod, = pods_of(client, workload)
    assert (pod["phase"], pod["ready"]) == (phase, False)
    container, = pod["containers"]
    assert (container["state"], container["ready"], container["exitCode"]) == ("terminated", False, code)
    assert ("3" in pod.get("reason", "")) == (code == 3)


def test_any_framework_is_the_one_the_workload_has(client):
    assert client.get(PAIR.path("pods", "any")).json == client.get(PAIR.path("pods")).json


def test_workload_without_pods_has_an_empty_list(client):
    assert pods_of(client, EMPTY) == []


@pytest.mark.local
def test_node_of_a_local_pod_is_this_machine(client):
    assert pods_of(client, LINES)[0]["node"] == socket.gethostname()


def test_pod_tells_its_node(client):
    assert {bool(pod["node"]) for pod in pods_of(client, PAIR)} == {True}


@pytest.mark.local
def test_restarts_are_counted(serve):
    client = serve(again := Workload("again", (shell("read line; exit 4", stdin=True, restart="Always"),)))
    eventually(lambda: client.phase(again) == "Running", "Running")
    assert pods_of(client, again)[0]["restarts"] == 0
    with client.open(again.path("attach"), "stdin=true") as attached:
        attached.send(b"end\n")
        attached.read_close()

    def restarted():
        pod, = pods_of(client, again)
        return pod["restarts"] == pod["containers"][0]["restarts"] == 1 and pod["containers"][0]["state"] == "running"
    eventually(restarted, "it runs again")


@pytest.mark.local
def test_container_that_waits_for_its_restart_says_so(serve):
    client = serve(crashing := Workload("crashing", (shell("exit 4", restart="Always"),)))

    def waits():
        (container,), = [pod["containers"] for pod in pods_of(client, crashing)]
        return container["state"] == "waiting" and "exit code 4; restarting in" in container.get("reason", "")
    eventually(waits, "it waits")


@pytest.mark.local
def test_removed_workload_is_listed_no_more_and_a_new_one_is(serve):
    client = serve(LINES, SHELL)
    client.server.reload(describe(LINES, DUO))
    eventually(lambda: [entry["name"] for entry in listed(client)] == ["duo", "lines"], "the list says so")


def test_missing_workload_is_answered_as_by_status(client):
    missing = LINES.named(name="nowhere")
    pods, status = client.get(missing.path("pods")), client.get(missing.path("status"))
    assert (pods.status, pods.body) == (status.status, status.body)
    assert pods.status == 500


def test_missing_workload_may_be_a_404(serve):
    client = serve(LINES, compat={"missingWorkload": 404})
    assert client.get(LINES.named(name="nowhere").path("pods")).status == 404


# --- watching ---


class Watch:
    """The events of one; a body that is cut short is an http.client.IncompleteRead."""

    def __init__(self, answer):
        self.answer = answer

    def event(self):
        """The next one but heartbeats; None at the end of the body."""
        while line := self.answer.readline():
            assert line.endswith(b"\n")
            event = json.loads(line)
            if event["event"] != "HEARTBEAT":
                return event
        return None

    def synced(self):
        """What there was at the beginning."""
        entries = []
        while (event := self.event())["event"] == "ADDED":
            entries.append(event["workload"])
        assert event == {"event": "SYNCED"}
        return entries

    def until(self, kind, condition=lambda workload: True):
        """The workload of the first such event."""
        while (event := self.event())["event"] != kind or not condition(event["workload"]):
            assert event["event"] in ("ADDED", "MODIFIED", "DELETED"), event
        return event["workload"]


@contextlib.contextmanager
def watching(client, **query):
    target = with_query(WORKLOADS, {"watch": "true", **query})
    connection = http.client.HTTPConnection(*client.server.address)
    connection.sock = dial(client.server.address)
    connection.request("GET", target, headers={"Authorization": f"Bearer {client.token}"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    assert answer.getheader("content-type") == "application/x-ndjson"
    assert answer.getheader("transfer-encoding") == "chunked"
    yield Watch(answer)
    connection.close()


def test_watch_begins_with_what_the_list_has(client):
    with watching(client, type="distributed") as watch:
        assert watch.synced() == listed(client, {"type": "distributed"})


def unused_name():
    """In a cluster, what a test made before is still there."""
    return f"watched-{uuid.uuid4().hex[:8]}"


def test_workload_that_ends_is_modified(serve):
    ending = Workload(unused_name(), (shell("read line; exit 0", stdin=True),))
    client = serve(ending).settle(ending)
    with watching(client, name=ending.name) as watch:
        assert [entry["pods"]["running"] for entry in watch.synced() if entry["type"] == "training"] == [1]
        with client.open(ending.path("attach"), "stdin=true") as attached:
            attached.send(b"end\n")
            attached.read_close()
        ended = watch.until("MODIFIED", lambda entry: entry["pods"]["succeeded"] == 1)
        assert identity(ended) == ("training", ending.name, "runai")


@pytest.mark.local
def test_sighup_adds_and_deletes(serve):
    client = serve(LINES, SHELL).settle(LINES, SHELL)
    with watching(client) as watch:
        assert [entry["name"] for entry in watch.synced()] == ["lines", "shell"]
        client.server.reload(describe(LINES, DUO))
        added = watch.until("ADDED")
        assert (added["name"], added["type"]) == ("duo", "training")
        assert watch.until("DELETED")["name"] == "shell"


def test_object_that_is_made_and_deleted_in_a_cluster_is_added_and_deleted(backend, client):
    if backend.kind == "local":
        pytest.skip("of a cluster")
    from support.pods import cluster, namespace_of
    made = Workload(unused_name(), (shell("exec sleep 1000000"),))
    with watching(client, name=made.name, type="training") as watch:
        assert watch.synced() == []
        backend.create(made)
        assert watch.until("ADDED")["kind"] == backend.object_kind(made)
        watch.until("MODIFIED", lambda entry: entry["pods"]["running"] == 1)
        cluster.kubectl("delete", backend.object_kind(made), made.name, "-n", namespace_of(PROJECT))
        watch.until("DELETED")


def test_quiet_watch_has_heartbeats_and_outlives_the_idle_time(quick):
    with watching(quick) as watch:
        watch.synced()
        for _ in range(8):  # of 200 ms; idle time is 1 s
            assert json.loads(watch.answer.readline()) == {"event": "HEARTBEAT"}


def test_expired_token_ends_the_watch_in_order(platform):
    client = platform.client.as_user(platform.server.token(ttl="5s"))
    with watching(client) as watch:
        watch.synced()
        while (event := watch.event())["event"] != "END":
            pass
        assert event == {"event": "END", "code": 401, "message": "token expired"}
        assert watch.answer.readline() == b""


def test_shutdown_ends_the_watch_in_order(serve):
    client = serve(SHELL, sessions={"shutdownGrace": "200ms"}).settle(SHELL)
    with watching(client) as watch:
        watch.synced()
        client.server.signal(signal.SIGTERM)
        while (event := watch.event())["event"] != "END":
            pass
        assert event == {"event": "END", "code": 503, "message": "server shutting down"}
        assert watch.answer.readline() == b""
    assert client.server.stop() == 0


def test_watches_count_as_sessions_while_their_client_is_there(serve):
    client = serve(SHELL, sessions={"maxPerUser": 1})
    with watching(client) as watch:
        watch.synced()
        answer = client.get(WORKLOADS, "watch=true")
        assert (answer.status, answer.json["code"]) == (429, 429)
        assert answer.headers["retry-after"].isdigit()
        assert client.get(WORKLOADS).status == 200

    def admitted():
        try:
            with watching(client) as watch:
                return watch.synced() is not None
        except AssertionError:
            return False
    eventually(admitted, "the place is free again")


def test_watch_is_refused_before_it_begins(platform, client):
    assert client.get(WORKLOADS, "watch=maybe").status == 400
    assert client.as_user(None).get(WORKLOADS, "watch=true").status == 401
    assert platform.user("only-logs").get(WORKLOADS, "watch=true").status == 403
    assert platform.user(OPERATOR).get(workloads_of(GHOST), "watch=true").status == 404


# --- who may, and the order of checks ---


@pytest.mark.parametrize("path", [WORKLOADS, LINES.path("pods")], ids=["workloads", "pods"])
class TestAccess:
    def test_verb_is_status(self, platform, path):
        for verb in VERBS:
            assert platform.user(f"only-{verb}").get(path).status == (200 if verb == "status" else 403)
        assert platform.user("carol", ("ml",)).get(path).status == 200
        assert platform.user("stranger").get(path).status == 403

    def test_token_comes_first(self, client, path):
        anonymous = client.as_user(None)
        assert anonymous.get(path).status == 401
        assert anonymous.get(path.replace(PROJECT, "A_B"), "type=x").status == 401

    def test_syntax_comes_before_permission(self, platform, path):
        assert platform.user("stranger").get(path.replace(PROJECT, "A_B")).status == 400

    def test_other_methods_are_405(self, client, path):
        answer = client.get(path, method="POST")
        assert (answer.status, answer.headers["allow"]) == (405, "GET")


def test_bad_query_comes_before_permission(platform):
    assert platform.user("stranger").get(WORKLOADS, "type=x").status == 400


def test_permission_comes_before_existence(platform):
    assert platform.user("stranger").get(workloads_of(GHOST)).status == 403
    assert platform.user("stranger").get(LINES.named(name="nowhere").path("pods")).status == 403


@pytest.mark.parametrize("path", [WORKLOADS + "/", WORKLOADS + "/training", WORKLOADS + "/training/runai",
                                  LINES.path("pods/"), LINES.path("pods/x"), f"{BASE}/api/v1/{PROJECT}/pods"])
def test_paths_around_them_are_404(client, path):
    assert client.get(path).status == 404
