"""Objects that are missing, ambiguous or large."""
import json
import pathlib
import uuid

import yaml

import cluster
from gateway import catalogue, eventually, namespace_of

CRDS = pathlib.Path(__file__).parent / "manifests/crds.yaml"
REMOVED = "inferenceworkloads.run.ai"


def test_a_kind_that_is_removed_is_named_and_the_rest_goes_on(gateway):
    workload = gateway.workload("bystander", catalogue.FOREVER)
    document, = (one for one in yaml.safe_load_all(CRDS.read_text()) if one["metadata"]["name"] == REMOVED)
    try:
        cluster.kubectl("delete", "crd", REMOVED)
        eventually(lambda: names_the_removed_kind(gateway.status()), "the status is Degraded, and says why", 60)
        assert gateway.client.run(workload, "echo", "here")[0] == b"here\n"
    finally:
        cluster.apply([document])
        cluster.wait("condition=Established", "crd", REMOVED)
    eventually(lambda: gateway.status()["status"] == "OK", "the kind is found again", 60)


def names_the_removed_kind(status):
    return status["status"] == "Degraded" and "InferenceWorkload" in status["features"]["workloads"].get("message", "")


def test_two_namespaces_of_one_project_are_both_named(gateway):
    project = f"twice-{uuid.uuid4().hex[:8]}"
    names = [f"{project}-a", f"{project}-b"]
    try:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace",
                       "metadata": {"name": name, "labels": {"runai/queue": project}}} for name in names)
        workload = catalogue.Workload("any", (), project=project)
        operator = gateway.user("operator")
        answer = eventually(lambda: named(operator.get(workload.path("status")), names), "both are named")
        assert answer.status == 500
    finally:
        cluster.kubectl("delete", "namespace", *names, "--wait=false")


def named(answer, names):
    return answer if all(name.encode() in answer.body for name in names) else None


def test_a_pod_with_as_many_annotations_as_there_may_be(gateway):
    workload = gateway.workload("annotated", "echo ready; " + catalogue.FOREVER)
    patch = {"metadata": {"annotations": {f"example.com/{n}": "x" * 20_000 for n in range(13)}}}  # of 256 KiB
    cluster.kubectl("patch", "pod", "annotated-0-0", "-n", namespace_of(gateway.project),
                    "--patch-file=/dev/stdin", stdin=json.dumps(patch))
    # A container runs a while before its first line is logged.
    eventually(lambda: gateway.client.logs(workload)[0] == [b"ready\n"], "its log is read")


def test_a_pod_with_a_hundred_containers(gateway):
    containers = [{"name": f"c{n}", "image": "bed.local/busybox:1"} for n in range(100)]
    workload = gateway.workload("crowded", "", ready=False, nodeSelector={"no-such": "node"},
                                containers=containers)
    status = eventually(lambda: counted(gateway.client.get(workload.path("status"))), "the pod is known")
    assert status["pods"]["pending"] == 1
    answer = gateway.client.refused(workload.path("logs"), {"container": "c100"})
    assert answer.status == 404 and "c99" in answer.message


def counted(answer):
    return answer.json if answer.status == 200 and answer.json["pods"]["total"] else None
