"""What restarts of the cluster's own programs do to sessions: a log goes on, all else ends and says why."""
import pytest

import cluster
from gateway import catalogue, eventually, numbers
from support.rawws import Closed
from support.tcp import Listener

COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.01; done"
MENDED = 60  # seconds until a session goes on, or has ended
RESTARTS = pytest.mark.parametrize("component, signal", [
    ("kube-apiserver", "KILL"), ("kubelet", "TERM"), ("containerd", "TERM")])


@pytest.fixture(scope="module")
def counting(gateway):
    return gateway.workload("counting", COUNTING)


@RESTARTS
def test_over_a_restart_a_follow_loses_nothing_and_streams_say_what_ended_them(gateway, counting, component, signal):
    listener = Listener()
    with gateway.client.open(counting.path("logs"), {"follow": "true", "tailLines": 1}) as follow, \
            gateway.client.exec(counting, "sh", "-c", "echo begun; sleep 1000") as command, \
            gateway.client.open(counting.path("port-forward"), {"port": listener.port}) as forward, \
            listener.accept():  # as long as it is open, the pod's side is no reason for an end
        seen = numbers(follow, 10, MENDED)
        assert command.read_until(b"begun\n")
        cluster.component("restart", component, signal)
        ended, forwarded = command.read_close(MENDED), forward.read_close(MENDED)
        seen += numbers(follow, 300, MENDED)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert forwarded.code == 1011 and "the cluster ended the stream" in forwarded.reason
    if component == "kube-apiserver":
        assert ended.code == 1011 and ended.reason.startswith("the cluster ended the stream")
    # The API server lives on, and has the last word: it takes an orderly end of its connection to the node for a
    # success, as kubectl does, which exits with 0; of one that is reset it tells what the matter was.
    elif ended != Closed(1000, "exit code 0"):
        assert ended.code == 1011 and ended.reason
    gateway.await_way_in(counting, MENDED)
    eventually(lambda: gateway.status()["status"] == "OK", "the cluster is known", MENDED)
    later = gateway.workload(f"after-{component}", catalogue.FOREVER)
    gateway.await_way_in(later, MENDED)
