"""Whom the gateway refuses, and what it says of pods that can't run."""
import pytest

from faulty import catalogue

COMMAND = {"command": "WyJ0cnVlIl0="}  # ["true"]


@pytest.fixture(scope="module")
def shell(faulty):
    return faulty.workload("refusing", "echo ready; " + catalogue.FOREVER)


@pytest.mark.parametrize("name", ["system:admin", "system:serviceaccount:kube-system:default"])
def test_a_caller_whose_name_belongs_to_the_cluster_is_refused(faulty, shell, name):
    assert faulty.user(name).refused(shell.path("exec"), COMMAND).status == 403


@pytest.mark.parametrize("endpoint", ["logs", "exec", "attach", "port-forward"])
def test_a_caller_without_a_role_is_refused(faulty, shell, endpoint):
    query = {"exec": COMMAND, "port-forward": {"port": 80}}.get(endpoint)
    assert faulty.user("stranger").refused(shell.path(endpoint), query).status == 403


@pytest.mark.parametrize("claim", [{"Impersonate-User": "alice"}, {"Impersonate-Group": "system:masters"}])
def test_a_caller_who_says_whom_to_impersonate_is_refused(faulty, shell, claim):
    for user in ("stranger", "alice"):
        assert faulty.user(user).refused(shell.path("logs"), headers=claim).status == 400


@pytest.mark.parametrize("endpoint", ["exec", "attach", "port-forward"])
def test_a_pod_that_is_not_scheduled_is_a_conflict(faulty, endpoint):
    workload = faulty.workload(f"pending-{endpoint}", catalogue.FOREVER, ready=False,
                                nodeSelector={"no-such": "node"})
    query = {"exec": COMMAND, "port-forward": {"port": 80}}.get(endpoint)
    refusals = (faulty.client.refused(workload.path(endpoint), query) for _ in range(200))
    refusal = next(one for one in refusals if one.status not in (404, 500))
    assert refusal.status == 409, refusal.body
    assert "not scheduled" in refusal.message
