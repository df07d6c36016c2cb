"""sluiced runs in the cluster as deploy/kubernetes has it: two replicas, either of which serves everybody."""
import os
import pathlib
import time

import pytest
import yaml

import cluster
from deployment import BASE, NAMESPACE, Deployment
from support import tokens
from support.catalogue import Workload
from support.client import Client
from support.httpclient import request
from support.kubernetes import binding
from support.platform import VERBS
from support.rawws import Closed, Refused
from support.waiting import eventually

PROJECT = "runai-project1"
COUNTER = Workload("counter", (), project="project1")
SHELL = Workload("shell", (), type="workspace", project="project1")
KEY = tokens.Key("ES256")
TOKEN = KEY.sign(tokens.claims())
BEARER = "base64url.bearer.authorization.k8s.io."


@pytest.fixture(scope="module")
def deployment(samples, tmp_path_factory):
    """Two replicas are ready; alice may do everything in project1."""
    issuer = {"issuer": tokens.ISSUER, "audiences": ["sluice"]}
    # Before the replicas start: the API server heeds a binding a while after it has taken it.
    cluster.apply(binding(f"alice-{verb}", f"sluice-{verb}", ("User", "alice"), PROJECT) for verb in VERBS)
    one = Deployment(tmp_path_factory.mktemp("deployment"), tokens.jwks(KEY), issuer).start()
    yield one
    one.stop()


@pytest.fixture
def replicas(deployment):
    """Two replicas, each as alice's client."""
    deployment.wait_for_replicas()
    found = eventually(lambda: pair if len(pair := deployment.replicas()) == 2 else None, "two replicas are ready", 60)
    return [Client(replica, TOKEN, deployment.tls) for replica in found]


def log_of(client):
    return cluster.kubectl("logs", "-n", NAMESPACE, client.server.name)


def test_either_replica_takes_the_same_token_and_serves_status_logs_and_exec(replicas):
    for client in replicas:
        assert client.phase(COUNTER) == "Running"
        messages, closed = client.logs(COUNTER, limitBytes=8)
        assert (messages, closed.code) == ([b"count 1\n"], 1000)
        assert client.run(SHELL, "echo", "hello") == (b"hello\n", Closed(1000, "exit code 0"))
        stranger = client.as_user(KEY.sign(tokens.claims(sub="stranger")))
        assert stranger.get(COUNTER.path("status")).status == 403


def test_it_runs_without_any_privilege(replicas):
    for client in replicas:
        process = pathlib.Path(f"/proc/{client.server.pid}")
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
        assert (process / "comm").read_text() == "sluiced\n"
        assert set(status["Uid"].split()) == {"65532"}
        assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
        root, = (options for _, _, _, _, place, options, *_ in mounts if place == "/")
        assert "ro" in root.split(",")


def test_a_token_is_never_in_the_log(replicas):
    for client in replicas:
        client.run(SHELL, "true")
        protocol = BEARER + tokens.encode_part(TOKEN.encode())
        with client.as_user(None).open(COUNTER.path("logs"), {"tailLines": 1},
                                       subprotocols=[protocol, "binary.k8s.io"]) as session:
            session.read_close()
        client.as_user(TOKEN + "x").refused(SHELL.path("exec"))
        log = eventually(lambda of=client: text if "alice" in (text := log_of(of)) else None, "the session is logged")
        for secret in (TOKEN.rsplit(".", 1)[-1], TOKEN.split(".")[1], protocol.removeprefix(BEARER)[:60]):
            assert secret not in log


def test_a_replica_that_is_deleted_ends_its_sessions_in_order_and_the_other_goes_on(deployment, replicas, start):
    leaving, staying = replicas
    follow = {"follow": "true", "tailLines": 1}
    pod = yaml.safe_load((BASE / "deployment.yaml").read_text())["spec"]["template"]["spec"]
    log = start("kubectl", "logs", "--follow", "-n", NAMESPACE, leaving.server.name)
    with leaving.open(COUNTER.path("logs"), follow) as ending, staying.exec(SHELL, "cat", stdin="true") as going_on:
        ending.read_until(b"count")
        deleted = time.monotonic()
        cluster.kubectl("delete", "pod", "-n", NAMESPACE, leaving.server.name, "--wait=false")
        eventually(lambda: request(leaving.server.admin, "GET", "/readyz", {}).status == 503, "it is no longer ready",
                   60)
        wait = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert time.monotonic() - deleted >= wait, "load balancers have not heard of it yet"
        with pytest.raises(Refused, match="503"):
            leaving.open(COUNTER.path("logs"), follow)
        assert ending.read_close() == Closed(1001, "server shutting down")
        cluster.wait("delete", f"pod/{leaving.server.name}", "-n", NAMESPACE)
        assert time.monotonic() - deleted < pod["terminationGracePeriodSeconds"]
        assert '"shut down"' in log.stdout.read(), "it was killed before it had ended by itself"
        going_on.send(b"still here")
        assert going_on.read_until(b"here") == b"still here"
    assert staying.run(SHELL, "echo", "served") == (b"served\n", Closed(1000, "exit code 0"))
    replacement = eventually(lambda: newcomers(deployment, replicas), "the replica is replaced", timeout=180)
    assert Client(replacement[0], TOKEN, deployment.tls).phase(COUNTER) == "Running"


def newcomers(deployment, before):
    known = {client.server.name for client in before}
    return [replica for replica in deployment.replicas() if replica.name not in known]


def test_the_component_for_access_reviews_makes_the_role_of_its_file(tmp_path):
    base = os.path.relpath(BASE, tmp_path.resolve())
    overlay = {"resources": [base], "components": [f"{base}/subject-access-review"]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    assert role(cluster.kubectl("kustomize", str(tmp_path))) == \
        role((BASE / "rbac-subject-access-review.yaml").read_text())


def role(documents):
    """The rules of sluiced's role, in an order of their own."""
    rules, = (document["rules"] for document in yaml.safe_load_all(documents)
              if document["kind"] == "ClusterRole" and document["metadata"]["name"] == "sluiced")
    return sorted(rules, key=str)
