"""A node that goes away: kubelet and container runtime, for longer than the cluster bears; or the Node itself."""
import pytest

import cluster
import samples
from gateway import catalogue, eventually, numbers

COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done"
NODE_PROGRAMS = ("kubelet", "containerd")
GRACE = 120  # seconds until the cluster takes a silent node for gone (50), and has told everybody
COLLECTED = 200  # seconds until it has deleted the pods of a Node that is no more
MENDED = 60


@pytest.fixture
def node(gateway):
    """Its name; it runs again when the test ends, with what others have on it."""
    (found,) = cluster.get("nodes")
    name = found["metadata"]["name"]
    yield name
    for program in reversed(NODE_PROGRAMS):
        cluster.component("restart", program)
    eventually(lambda: is_ready(name), "the node is ready", MENDED)


def is_ready(node):
    """None while there is no such Node."""
    for one in cluster.get("nodes"):
        if one["metadata"]["name"] == node:
            return any(each["type"] == "Ready" and each["status"] == "True" for each in one["status"]["conditions"])
    return None


def stop_node():
    for program in NODE_PROGRAMS:
        cluster.component("stop", program)


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
        stop_node()
        ended = command.read_close(MENDED)
        assert ended.code in (1000, 1011) and ended.reason  # the cluster may take its own end for a success
        eventually(lambda: not is_ready(node), "the node is taken for gone", GRACE)
        eventually(lambda: not pod_of(gateway, workload)["ready"], "the pod isn't ready", MENDED)
        assert gateway.says(workload) is None
        for program in reversed(NODE_PROGRAMS):
            cluster.component("start", program)
        seen += numbers(follow, 100, MENDED)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    eventually(lambda: pod_of(gateway, workload)["ready"], "the pod is ready again", MENDED)
    assert eventually(lambda: gateway.says(workload), "there is a way in again", MENDED) == b"here\n"


def test_a_node_that_is_removed_takes_its_sessions_along(gateway, node):
    workload = gateway.workload("removed-with-the-node", COUNTING)
    try:
        with gateway.client.open(workload.path("logs"), {"follow": "true", "tailLines": 1}) as follow:
            numbers(follow, 10, MENDED)
            stop_node()
            cluster.kubectl("delete", "node", node)
            closed = follow.read_close(COLLECTED)
        assert (closed.code, closed.reason) == (1001, "pod deleted")
        answer = gateway.client.refused(workload.path("logs"))
        assert answer.status == 404, answer.body
        for program in reversed(NODE_PROGRAMS):
            cluster.component("start", program)
        eventually(lambda: is_ready(node), "the node is there again", MENDED)
        later = gateway.workload("after-the-node", catalogue.FOREVER)
        assert eventually(lambda: gateway.says(later), "there is a way into a new pod", MENDED) == b"here\n"
    finally:
        samples.main()  # they were on that node, too
