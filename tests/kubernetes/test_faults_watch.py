"""What the gateway knows of the cluster outlives the connections that it was told by."""
from faulty import catalogue, eventually

MENDED = 15  # seconds until what changed during an outage is known


def test_a_new_pod_is_known_soon_after_watches_were_cut(faulty, proxy):
    proxy.cut()
    assert proxy.cuts > 0
    workload = faulty.workload("after-a-cut", catalogue.FOREVER)
    assert faulty.client.run(workload, "echo", "here")[0] == b"here\n"


def test_a_deletion_while_nothing_passed_is_not_lost(faulty, proxy):
    workload = faulty.workload("deleted-unseen", catalogue.FOREVER)
    with faulty.client.open(workload.path("logs"), {"follow": "true"}) as follow:
        proxy.stall()
        faulty.delete_pod(workload, "--grace-period=0", "--force")
        proxy.cut()
        proxy.resume()
        closed = follow.read_close(MENDED)
    assert (closed.code, closed.reason) == (1001, "pod deleted")
    answer = faulty.client.refused(workload.path("logs"))
    assert answer.status == 404, answer.body


def test_a_follow_loses_and_repeats_nothing_over_cuts(faulty, proxy):
    count = 100_000
    script = (f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo line $i; "
              "[ $((i % 1000)) -ne 0 ] || sleep 0.02; done; " + catalogue.FOREVER)
    workload = faulty.workload("numbered", script)
    lines, cuts_at = [], [count // 10 * n for n in range(1, 9)]
    with faulty.client.open(workload.path("logs"), {"follow": "true"}) as follow:
        while len(lines) < count:
            message = follow.message(MENDED)
            assert isinstance(message, bytes), f"{message} after {len(lines)} lines"
            lines.append(message)
            if cuts_at and len(lines) == cuts_at[0]:
                proxy.cut()
                cuts_at.pop(0)
    assert lines == [f"line {n}\n".encode() for n in range(1, count + 1)]


def test_status_is_served_at_once_while_nothing_passes_and_recovers(faulty, proxy):
    proxy.stall()
    eventually(lambda: faulty.status()["status"] != "OK", "an outage shows", 60)
    proxy.cut()
    proxy.resume()
    eventually(lambda: faulty.status()["status"] == "OK", "it recovers by itself", 60)
