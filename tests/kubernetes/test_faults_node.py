"""A node that goes away: kubelet and container runtime, for longer than the cluster bears; or the Node itself."""
import contextlib

import pytest

import cluster
import samples
from gateway import catalogue, eventually, numbers

COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done"
NODE_PROGRAMS = ("kubelet", "containerd")
GRACE = 150  # seconds until the cluster takes a silent node for gone (50), and has told everybody
COLLECTED = 250  # seconds until it has deleted the pods of a Node that is no more (60 to 80)
MENDED = 60


@pytest.fixture
def node():
    """Its name; it is ready again when the test ends, for what others have on it."""
    (found,) = cluster.get("nodes")
    name = found["metadata"]["name"]
    yield name
    await_ready(name)


def await_ready(node):
    cluster.wait("create", f"node/{node}")
    cluster.wait("condition=Ready", f"node/{node}")


@contextlib.contextmanager
def node_stopped():
    """All programs of the node have ended; they run again behind it."""
    try:
        for program in NODE_PROGRAMS:
            cluster.component("stop", program)
        yield
    finally:
        for program in reversed(NODE_PROGRAMS):
            cluster.component("start", program)


def pod_of(gateway, workload):
    """As the gateway describes it."""
    (pod,) = gateway.client.get(workload.path("pods")).json["pods"]
    return pod


def test_a_node_that_is_gone_for_long_ends_streams_shows_and_comes_back(gateway, node):
    workload = gateway.workload("on-the-node", COUNTING)
    with gateway.client.open(workload.path("logs"), {"follow": "true", "tailLines": 1}) as follow, \
            gateway.client.exec(workload, "sh", "-c", "echo begun; sleep 1000") as command:
        seen = numbers(follow, 10, MENDED)
        assert command.read_until(b"begun\n")
        with node_stopped():
            ended = command.read_close(MENDED)
            assert ended.code in (1000, 1011) and ended.reason  # the cluster may take its own end for a success
            cluster.wait("condition=Ready=Unknown", f"node/{node}", timeout=GRACE)
            eventually(lambda: not pod_of(gateway, workload)["ready"], "the pod isn't ready", MENDED)
            assert gateway.says(workload) is None
        seen += numbers(follow, 100, MENDED)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    eventually(lambda: pod_of(gateway, workload)["ready"], "the pod is ready again", MENDED)
    gateway.await_way_in(workload, MENDED)


def test_a_node_that_is_removed_takes_its_sessions_along(gateway, node):
    workload = gateway.workload("removed-with-the-node", COUNTING)
    try:
        with gateway.client.open(workload.path("logs"), {"follow": "true", "tailLines": 1}) as follow:
            numbers(follow, 10, MENDED)
            with node_stopped():
                cluster.kubectl("delete", "node", node)
                closed = follow.read_close(COLLECTED)
                assert (closed.code, closed.reason) == (1001, "pod deleted")
                answer = gateway.client.refused(workload.path("logs"))
                assert answer.status == 404, answer.body
        await_ready(node)
        later = gateway.workload("after-the-node", catalogue.FOREVER)
        gateway.await_way_in(later, MENDED)
    finally:
        samples.main()  # they were on that node, too
