"""Workloads in the shape that Run:ai gives them: what its controllers would do, create pods and set the status, is
done here."""
from support import catalogue
from support.pods import cluster, identity, labelled, metadata, restart_of, spec_of, wait_until_settled
from support.server import ROOT

KINDS_FILE = ROOT / "tests/kubernetes/manifests/crds.yaml"
RIGHTS = ()  # those in the base suffice
KINDS = {"workspace": "InteractiveWorkload", "training": "TrainingWorkload",
         "distributed": "DistributedWorkload", "inference": "InferenceWorkload",
         "external": "ExternalWorkload"}
JOBS = {"pytorch": "PyTorchJob", "tf": "TFJob", "mpi": "MPIJob", "xgboost": "XGBoostJob",
        "jax": "JAXJob"}
IDENTITY = "tests/workload"


def pod_name(workload, index=0):
    """As the local backend's, but unique within the namespace also where types share a name."""
    same = [other for other in catalogue.ALL if other.name == workload.name]
    stem = workload.name if len(same) < 2 else f"{workload.name}-{workload.type}"
    return f"{stem}-0-{index}"


def observed(workload):
    """The object that an external workload stands for: ew-{kind}-{name}."""
    _, kind, name = workload.name.split("-", 2)
    assert kind == "pytorchjob", f"the bed has no kind {kind}"
    return {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob",
            "metadata": metadata(name, workload), "spec": {}}


def object_kind(workload):
    return KINDS[workload.type]


def described(workload, original_uid=None):
    """The workload's object, without its status."""
    version = "v1alpha1" if workload.type == "external" else "v2alpha1"
    spec = {"name": {"value": workload.name}}
    if workload.type == "distributed":
        spec["jobType"] = JOBS[workload.framework]
    if workload.type == "external":
        spec = {"type": "PyTorchJob", "projectName": workload.project,
                "originalWorkloadName": observed(workload)["metadata"]["name"],
                "originalWorkloadUID": original_uid}
    return {"apiVersion": f"run.ai/{version}", "kind": KINDS[workload.type],
            "metadata": metadata(workload.name, workload), "spec": spec}


def pod_of(workload, index, owner_uid):
    labels = {"project": workload.project, "workloadName": workload.name,
              "workloadKind": KINDS[workload.type], "run.ai/top-owner-uid": owner_uid,
              "runai/pod-index": f"0-{index}", IDENTITY: identity(workload)}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": metadata(pod_name(workload, index), workload, labels=labels),
            "spec": spec_of(workload, {"value": str(index)}, restart_of(workload))}


def status_of(workload, pods):
    codes = [state["terminated"]["exitCode"] for pod in pods
             for container in pod["status"].get("containerStatuses", [])
             if "terminated" in (state := container["state"])]
    message = f"exit code {codes[0]}" if workload.phase == "Failed" else ""
    if workload.type == "external":
        return {"observedStatus": {"phase": workload.phase, "message": message}}
    return {"phase": workload.phase, "phaseMessage": message}


def create(*workloads):
    """Brings workloads to life and waits until they have settled."""
    uids = [None] * len(workloads)
    for index, workload in enumerate(workloads):
        if workload.type == "external":
            uids[index] = cluster.apply([observed(workload)])[0]["metadata"]["uid"]
    objects = cluster.apply(described(workload, uid) for workload, uid in zip(workloads, uids))
    owners = [uid or made["metadata"]["uid"] for uid, made in zip(uids, objects)]
    pods = [pod_of(workload, index, owner) for workload, owner in zip(workloads, owners)
            for index in range(workload.replicas)]
    if pods:
        cluster.apply(pods)
    settle(workloads)


def settle(workloads):
    """Sets each object's status when its pods have come to where it says."""
    statuses = []
    for workload in workloads:
        pods = wait_until_settled(workload, lambda one: labelled(IDENTITY, one))
        kind = described(workload)
        statuses.append({"apiVersion": kind["apiVersion"], "kind": kind["kind"],
                         "metadata": metadata(workload.name, workload),
                         "status": status_of(workload, pods)})
    cluster.apply(statuses, "--server-side", "--subresource=status", "--field-manager=tests")
