"""Whom the gateway refuses, and what it says of pods that can't run."""
import pytest

from gateway import catalogue, eventually

COMMAND = {"command": "WyJ0cnVlIl0="}  # ["true"]


@pytest.fixture(scope="module")
def shell(gateway):
    return gateway.workload("refusing", "echo ready; " + catalogue.FOREVER)


@pytest.mark.parametrize("name", ["system:admin", "system:serviceaccount:kube-system:default"])
def test_a_caller_whose_name_belongs_to_the_cluster_is_refused(gateway, shell, name):
    assert gateway.user(name).refused(shell.path("exec"), COMMAND).status == 403


@pytest.mark.parametrize("endpoint", ["logs", "exec", "attach", "port-forward"])
def test_a_caller_without_a_role_is_refused(gateway, shell, endpoint):
    query = {"exec": COMMAND, "port-forward": {"port": 80}}.get(endpoint)
    assert gateway.user("stranger").refused(shell.path(endpoint), query).status == 403


@pytest.mark.parametrize("claim", [{"Impersonate-User": "alice"}, {"Impersonate-Group": "system:masters"}])
def test_a_caller_who_says_whom_to_impersonate_is_refused(gateway, shell, claim):
    for user in ("stranger", "alice"):
        assert gateway.user(user).refused(shell.path("logs"), headers=claim).status == 400


@pytest.mark.parametrize("endpoint", ["exec", "attach", "port-forward"])
def test_a_pod_that_is_not_scheduled_is_a_conflict(gateway, endpoint):
    workload = gateway.workload(f"pending-{endpoint}", catalogue.FOREVER, ready=False,
                                nodeSelector={"no-such": "node"})
    query = {"exec": COMMAND, "port-forward": {"port": 80}}.get(endpoint)
    refusal = eventually(lambda: known(gateway.client.refused(workload.path(endpoint), query)), "the pod is known")
    assert refusal.status == 409, refusal.body
    assert "not scheduled" in refusal.message


def known(answer):
    """The answer, unless it is that there is no such workload or pod yet."""
    return None if answer.status in (404, 500) else answer
