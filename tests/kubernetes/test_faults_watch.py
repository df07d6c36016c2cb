"""What the gateway knows of the cluster outlives the connections that it was told by."""
from gateway import catalogue, eventually

MENDED = 30  # seconds until what changed during an outage is known


def test_a_new_pod_is_known_soon_after_watches_were_cut(gateway, proxy):
    proxy.cut()
    assert proxy.cuts > 0
    workload = gateway.workload("after-a-cut", catalogue.FOREVER)
    assert gateway.client.run(workload, "echo", "here")[0] == b"here\n"


def test_a_deletion_while_nothing_passed_is_not_lost(gateway, proxy):
    workload = gateway.workload("deleted-unseen", catalogue.FOREVER)
    with gateway.client.open(workload.path("logs"), {"follow": "true"}) as follow:
        proxy.stall()
        gateway.delete_pod(workload, "--grace-period=0", "--force")
        proxy.cut()
        proxy.resume()
        closed = follow.read_close(MENDED)
    assert (closed.code, closed.reason) == (1001, "pod deleted")
    answer = gateway.client.refused(workload.path("logs"))
    assert answer.status == 404, answer.body


def test_a_follow_loses_and_repeats_nothing_over_cuts(gateway, proxy):
    count = 100_000
    script = (f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo line $i; "
              "[ $((i % 1000)) -ne 0 ] || sleep 0.02; done; " + catalogue.FOREVER)
    workload = gateway.workload("numbered", script)
    lines, cuts_at = [], [count // 10 * n for n in range(1, 9)]
    with gateway.client.open(workload.path("logs"), {"follow": "true"}) as follow:
        while len(lines) < count:
            message = follow.message(MENDED)
            assert isinstance(message, bytes), f"{message} after {len(lines)} lines"
            lines.append(message)
            if cuts_at and len(lines) == cuts_at[0]:
                proxy.cut()
                cuts_at.pop(0)
    assert lines == [f"line {n}\n".encode() for n in range(1, count + 1)]


def test_status_is_served_at_once_while_nothing_passes_and_recovers(gateway, proxy):
    proxy.stall()
    eventually(lambda: gateway.status()["status"] != "OK", "an outage shows", 60)
    proxy.cut()
    proxy.resume()
    eventually(lambda: gateway.status()["status"] == "OK", "it recovers by itself", 60)
