"""A session whose pod is deleted ends within two seconds, and says so (contract §4): the API server
may leave its streams open, frozen. In one way a pod vanishes at once, in the other it gets time.
"""
import time
import uuid

import pytest

from gateway import eventually
from support.rawws import Closed
from support.tcp import Listener

PATIENCE = 2.0  # seconds from the pod's disappearance to the session's end, 1 of which is Upstream::kGonePatience
BUSY = 1.0  # seconds that a machine with other work may add
GRACE = 2
DELETED = Closed(1001, "pod deleted")
STUBBORN = "trap '' TERM; echo begun; while :; do sleep 0.05; done"


@pytest.fixture
def target(gateway):
    return gateway.workload(f"victim-{uuid.uuid4().hex[:8]}", STUBBORN, stdin=True)


def begin_logs(client, workload):
    session = client.open(workload.path("logs"), "follow=true")
    assert session.read_until(b"begun\n")
    return session


def begin_exec(client, workload):
    session = client.exec(workload, "sh", "-c", STUBBORN)
    assert session.read_until(b"begun\n")
    return session


def begin_attach(client, workload):
    return client.open(workload.path("attach"), "stdin=true")


def begin_port_forward(client, workload):
    listener = Listener()
    session = client.open(workload.path("port-forward"), {"port": listener.port})
    session.listener, session.connection = listener, listener.accept()
    return session


EACH = pytest.mark.parametrize("begin", [begin_logs, begin_exec, begin_attach, begin_port_forward])


@EACH
def test_pod_that_vanishes_at_once_ends_the_session(gateway, target, begin):
    with begin(gateway.client, target) as session:
        gateway.delete_pod(target, "--grace-period=0", "--force", "--wait=false")
        gone = time.monotonic()
        assert session.read_all(timeout=20)[1] == DELETED
        assert time.monotonic() - gone < PATIENCE + BUSY


@EACH
def test_pod_that_is_given_time_ends_the_session_when_it_is_gone(gateway, target, begin):
    with begin(gateway.client, target) as session:
        gateway.delete_pod(target, f"--grace-period={GRACE}", "--wait=true")
        gone = time.monotonic()
        assert session.read_all(timeout=20)[1] == DELETED
        assert time.monotonic() - gone < PATIENCE + BUSY


def test_pod_on_its_way_takes_no_new_session(gateway, target):
    gateway.delete_pod(target, "--grace-period=30", "--wait=false")
    eventually(lambda: gateway.client.get(target.path("pods")).json["pods"][0]["phase"] == "Terminating", "it is known")
    for endpoint, query in (("exec", "command=WyJ0cnVlIl0="), ("attach", None),
                            ("port-forward", "port=80")):
        answer = gateway.client.refused(target.path(endpoint), query)
        assert (answer.status, "terminating" in answer.message) == (409, True), endpoint
