"""Contract §8: status bodies."""
import os
import statistics

import pytest

from support.catalogue import (ALL, BASE, EMPTY, FAILED, FINISHED, LINES, PAIR, Container,
                               Workload, shell)
from support.waiting import eventually

COUNTS = ["total", "running", "pending", "succeeded", "failed"]


def test_cluster_status(client, platform):
    answer = client.get(BASE + "/status")
    body = answer.json
    assert (answer.status, body["status"]) == (200, "OK")
    assert body["version"]
    assert body["backend"]["kind"] == platform.kind
    for feature in ["logs", "exec", "attach", "portForward", "workloads"]:
        assert body["features"][feature]["state"] == "OK"
    assert b"OK" in answer.body


@pytest.mark.local
def test_backend_version_of_the_local_backend_is_the_kernels(client):
    backend = client.get(BASE + "/status").json["backend"]
    assert backend["version"] == f"{os.uname().sysname} {os.uname().release}"


def test_cluster_status_needs_only_a_valid_token(platform):
    assert platform.user("stranger").get(BASE + "/status").status == 200


def test_cluster_status_comes_in_well_under_a_second(client):
    assert statistics.median(client.answer_time(BASE + "/status") for _ in range(20)) < 0.5


@pytest.mark.parametrize("workload", ALL, ids=lambda w: w.name + "-" + w.framework)
def test_workload_status(client, workload):
    body = client.get(workload.path("status")).json
    assert body["status"] == body["phase"] == workload.phase
    assert (body["project"], body["name"]) == (workload.project, workload.name)
    assert (body["type"], body["framework"]) == (workload.type, workload.framework)
    assert body["pods"]["total"] == workload.replicas
    assert set(body["pods"]) == set(COUNTS)
    assert sum(body["pods"][state] for state in COUNTS[1:]) == workload.replicas


@pytest.mark.parametrize("kind", ["training", "workspace", "distributed", "inference", "external"])
def test_kind_is_that_of_the_object(platform, client, kind):
    workload = next(workload for workload in ALL if workload.type == kind)
    assert client.get(workload.path("status")).json["kind"] == platform.object_kind(workload)


@pytest.mark.parametrize("workload, state", [
    (LINES, "running"), (PAIR, "running"), (FINISHED, "succeeded"), (FAILED, "failed")],
    ids=lambda x: getattr(x, "name", x))
def test_pods_are_counted_by_state(client, workload, state):
    pods = client.get(workload.path("status")).json["pods"]
    assert pods[state] == pods["total"] == workload.replicas


def test_no_replicas_is_pending(client):
    body = client.get(EMPTY.path("status")).json
    assert (body["phase"], body["pods"]["total"]) == ("Pending", 0)


def test_message_says_why_a_workload_failed(client):
    assert "3" in client.get(FAILED.path("status")).json["message"]


@pytest.mark.local
def test_command_that_does_not_exist_is_failed_and_the_status_says_why(serve):
    absent = Workload("absent", (Container(("/nowhere/program",)),))
    client = serve(absent)

    def phase():
        return client.get(absent.path("status")).json["phase"] == "Failed"
    eventually(phase, "the pod is Failed")
    assert "/nowhere/program" in client.get(absent.path("status")).json["message"]
    assert client.get(BASE + "/status").status == 200


@pytest.mark.local
def test_some_pods_failed_is_degraded(serve):
    script = "[ $SLUICE_REPLICA_INDEX = 0 ] && exec sleep 1000000; exit 1"
    half = Workload("half", (shell(script),), replicas=2)
    client = serve(half)

    def both():
        """Once the one runs and the other has failed, in whatever order."""
        status = client.get(half.path("status")).json
        return (status["pods"]["running"], status["pods"]["failed"]) == (1, 1) and status["phase"]
    assert eventually(both, "one runs and one has failed") == "Degraded"
