"""Workloads as a cluster without Run:ai has them: StatefulSets, Jobs and Deployments, whose pods Kubernetes itself
makes, and Kubeflow's jobs, whose controller's part is done here."""
from support.pods import cluster, field, identity, labelled, metadata, restart_of, spec_of, wait_until_settled
from support.server import ROOT

KINDS_FILE = ROOT / "tests/kubernetes/manifests/kubeflow-crds.yaml"
RIGHTS = (ROOT / "deploy/kubernetes/rbac-preset-kubernetes.yaml",)  # which kinds sluiced may watch
JOBS = {"pytorch": "PyTorchJob", "tf": "TFJob", "mpi": "MPIJob", "xgboost": "XGBoostJob",
        "jax": "JAXJob", "external": "PyTorchJob"}
IDENTITY = "tests/workload"
POD_INDEX = field("metadata.labels['apps.kubernetes.io/pod-index']")
COMPLETION_INDEX = field("metadata.labels['batch.kubernetes.io/job-completion-index']")


def template(workload, replica_index, restart):
    return {"metadata": {"labels": {IDENTITY: identity(workload)}},
            "spec": spec_of(workload, replica_index, restart)}


def replicated(kind, workload, replica_index, **more):
    """A StatefulSet or a Deployment; their pods may only be of those that are always restarted."""
    spec = {"replicas": workload.replicas, "selector": {"matchLabels": {IDENTITY: identity(workload)}},
            "template": template(workload, replica_index, "Always"), **more}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata(workload.name, workload), "spec": spec}


def job(workload):
    """A Job can't always restart its pods; that it does so after a failure comes nearest."""
    restart = "OnFailure" if restart_of(workload) == "Always" else "Never"
    spec = {"completionMode": "Indexed", "parallelism": workload.replicas, "completions": max(workload.replicas, 1),
            "backoffLimit": 0 if restart == "Never" else 1000,
            "template": template(workload, COMPLETION_INDEX, restart)}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(workload.name, workload), "spec": spec}


def job_name(workload):
    """External workloads are known as ew-{kind}-{name}."""
    return workload.name.split("-", 2)[2] if workload.type == "external" else workload.name


def kubeflow_job(workload):
    return {"apiVersion": "kubeflow.org/v1", "kind": JOBS[workload.framework],
            "metadata": metadata(job_name(workload), workload), "spec": {}}


def object_of(workload):
    match workload.type:
        case "workspace": return replicated("StatefulSet", workload, POD_INDEX, podManagementPolicy="Parallel")
        case "training": return job(workload)
        case "inference": return replicated("Deployment", workload, {"value": "0"})
        case _: return kubeflow_job(workload)


def object_kind(workload):
    return object_of(workload)["kind"]


def worker_of(workload, index, made):
    """A pod as Kubeflow's training operator labels it: the first is the master."""
    role = {"training.kubeflow.org/job-role": "master"} if index == 0 else {}
    labels = {"training.kubeflow.org/job-name": made["metadata"]["name"],
              "training.kubeflow.org/replica-index": str(index), IDENTITY: identity(workload)} | role
    owner = {"apiVersion": made["apiVersion"], "kind": made["kind"], "name": made["metadata"]["name"],
             "uid": made["metadata"]["uid"], "controller": True}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": metadata(f"{made['metadata']['name']}-worker-{index}", workload, labels=labels,
                                 ownerReferences=[owner]),
            "spec": spec_of(workload, {"value": str(index)}, restart_of(workload))}


def pods_of(workload):
    """In the order of their indices."""
    return sorted(labelled(IDENTITY, workload), key=lambda pod: pod["metadata"]["name"])


def pod_name(workload, index=0):
    return pods_of(workload)[index]["metadata"]["name"]


def create(*workloads):
    """Brings workloads to life and waits until they have settled."""
    made = cluster.apply(object_of(workload) for workload in workloads)
    workers = [worker_of(workload, index, object_) for workload, object_ in zip(workloads, made)
               if object_["apiVersion"] == "kubeflow.org/v1" for index in range(workload.replicas)]
    if workers:
        cluster.apply(workers)
    for workload in workloads:
        wait_until_settled(workload, pods_of)
