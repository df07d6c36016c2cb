"""The gateway's own token is renewed in its file, in time or late. The tests build on each other: a token that was
revoked is one that the gateway had read."""
import pytest

from gateway import catalogue, eventually

NOTICED = 60  # seconds until a token that is revoked or renewed shows
COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done"
REFUSED = "the cluster does not accept the gateway's credentials"


@pytest.fixture(scope="module")
def counting(gateway):
    return gateway.workload("counting", COUNTING)


def numbers(session, count):
    return [int(session.message(NOTICED).split()[1]) for _ in range(count)]


def test_a_token_that_expires_is_told_and_ends_nothing_and_a_new_one_is_taken(gateway, counting):
    with gateway.client.open(counting.path("logs"), {"follow": "true", "tailLines": 1}) as follow, \
            gateway.client.exec(counting, "cat", stdin="true") as command:
        seen = numbers(follow, 3)
        gateway.token.revoke()
        eventually(lambda: REFUSED in str(gateway.status()), "the status tells", NOTICED)
        assert gateway.status()["status"] != "OK"
        refusal = gateway.client.refused(counting.path("exec"), {"command": "WyJ0cnVlIl0="})
        assert (refusal.status, refusal.message) == (503, REFUSED)
        command.send(b"still there\n")
        assert command.message() == b"still there\n"
        gateway.proxy.cut()
        gateway.renew_token()
        seen += numbers(follow, 30)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    eventually(lambda: gateway.status()["status"] == "OK", "the cluster is known again", NOTICED)
    later = gateway.workload("later", catalogue.FOREVER)
    assert gateway.client.run(later, "echo", "here")[0] == b"here\n"


def test_a_token_that_is_renewed_in_time_is_not_noticed(gateway, counting):
    old, before = gateway.token, len(gateway.server.output)
    gateway.renew_token()
    old.revoke()
    with gateway.client.open(counting.path("logs"), {"follow": "true", "tailLines": 1}) as follow:
        seen = numbers(follow, 120)  # for longer than the API server remembers the old token
        gateway.proxy.cut()
        assert gateway.client.run(counting, "echo", "here")[0] == b"here\n"
        seen += numbers(follow, 10)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert gateway.status()["status"] == "OK"
    assert REFUSED not in gateway.server.output[before:]
