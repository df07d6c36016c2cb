"""What restarts of the cluster's own programs do to sessions: a log goes on, all else ends and says why."""
import pytest

import cluster
from gateway import catalogue, eventually, numbers
from support.rawws import Closed
from support.tcp import Listener

COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.01; done"
MENDED = 30  # seconds until a session goes on, or has ended
RESTARTS = pytest.mark.parametrize("component, signal", [
    ("kube-apiserver", "KILL"), ("kubelet", "TERM"), ("containerd", "TERM")])


@pytest.fixture(scope="module")
def counting(gateway):
    return gateway.workload("counting", COUNTING)


@RESTARTS
def test_a_follow_loses_and_repeats_nothing_over_a_restart(gateway, counting, component, signal):
    with gateway.client.open(counting.path("logs"), {"follow": "true", "tailLines": 1}) as follow:
        seen = numbers(follow, 10, MENDED)
        cluster.component("restart", component, signal)
        seen += numbers(follow, 300, MENDED)
    assert seen == list(range(seen[0], seen[0] + len(seen)))


@RESTARTS
def test_streams_that_a_restart_ends_say_so_and_new_ones_begin(gateway, counting, component, signal):
    listener = Listener()
    with gateway.client.exec(counting, "sh", "-c", "echo begun; sleep 1000") as command, \
            gateway.client.open(counting.path("port-forward"), {"port": listener.port}) as forward:
        assert command.read_until(b"begun\n")
        listener.accept()
        cluster.component("restart", component, signal)
        ended, forwarded = command.read_close(MENDED), forward.read_close(MENDED)
    assert forwarded.code == 1011 and "the cluster ended the stream" in forwarded.reason
    # The cluster takes the end of its own connections for a success: kubectl exits with 0, too.
    if component == "kube-apiserver" or ended != Closed(1000, "exit code 0"):
        assert ended.code == 1011 and ended.reason.startswith("the cluster ended the stream")
    assert eventually(lambda: gateway.says(counting), "there is a way in again", MENDED) == b"here\n"
    eventually(lambda: gateway.status()["status"] == "OK", "the cluster is known", MENDED)
    later = gateway.workload(f"after-{component}", catalogue.FOREVER)
    assert eventually(lambda: gateway.says(later), "there is a way into a new pod", MENDED) == b"here\n"
