"""The Kubernetes backend: workloads are objects and pods in the shape that Run:ai gives them.

It runs inside the test bed (docs/internals/kubernetes-bed.md), whose CRDs it uses; what Run:ai's
controllers would do, create pods and set the status, it does itself. sluiced is the service account
of deploy/kubernetes/, and users have the roles there: so the tests hold only if those suffice.
"""
import functools
import sys

from support import catalogue
from support.platform import OPERATOR, VERBS
from support.server import ROOT, Server
from support.waiting import eventually

sys.path.append(str(ROOT / "tests/kubernetes"))
import cluster  # noqa: E402
import service_account  # noqa: E402

DEPLOY = ROOT / "deploy/kubernetes"
KINDS = {"workspace": "InteractiveWorkload", "training": "TrainingWorkload",
         "distributed": "DistributedWorkload", "inference": "InferenceWorkload",
         "external": "ExternalWorkload"}
JOBS = {"pytorch": "PyTorchJob", "tf": "TFJob", "mpi": "MPIJob", "xgboost": "XGBoostJob",
        "jax": "JAXJob"}
RBAC = "rbac.authorization.k8s.io"
IMAGE = "bed.local/busybox:1"
START = 120  # seconds until all pods of the catalogue are as the catalogue says


def namespace_of(project):
    return f"runai-{project}"


def pod_name(workload, index=0):
    """As the local backend's, but unique within the namespace also where types share a name."""
    same = [other for other in catalogue.ALL if other.name == workload.name]
    stem = workload.name if len(same) < 2 else f"{workload.name}-{workload.type}"
    return f"{stem}-0-{index}"


# --- what Run:ai would make of a workload ---


def metadata(name, workload, **more):
    return {"name": name, "namespace": namespace_of(workload.project), **more}


def observed(workload):
    """The object that an external workload stands for: ew-{kind}-{name}."""
    _, kind, name = workload.name.split("-", 2)
    assert kind == "pytorchjob", f"the bed has no kind {kind}"
    return {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob",
            "metadata": metadata(name, workload), "spec": {}}


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


def container_of(workload, container, index):
    """The names that the local backend gives to each container, the pod's specification gives."""
    names = {"PROJECT": workload.project, "WORKLOAD": workload.name,
             "POD": pod_name(workload, index), "CONTAINER": container.name,
             "REPLICA_INDEX": str(index)}
    variables = {f"SLUICE_{name}": value for name, value in names.items()}
    variables |= container.options.get("env", {})
    # Kubernetes would replace $(NAME), and takes $$ for a $.
    command = [argument.replace("$", "$$") for argument in container.command]
    spec = {"name": container.name, "image": IMAGE, "command": command,
            "env": [{"name": name, "value": value} for name, value in variables.items()]}
    return spec | {key: container.options[key] for key in ("stdin", "tty", "workingDir")
                   if key in container.options}


def pod_of(workload, index, owner_uid):
    """hostNetwork: what listens on 127.0.0.1 where the tests run can be forwarded to."""
    labels = {"project": workload.project, "workloadName": workload.name,
              "workloadKind": KINDS[workload.type], "run.ai/top-owner-uid": owner_uid,
              "runai/pod-index": f"0-{index}"}
    restart = workload.containers[0].options.get("restart", "Never")
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": metadata(pod_name(workload, index), workload, labels=labels),
            "spec": {"restartPolicy": restart, "hostNetwork": True, "enableServiceLinks": False,
                     "terminationGracePeriodSeconds": 0,
                     "containers": [container_of(workload, container, index)
                                    for container in workload.containers]}}


def status_of(workload, pods):
    codes = [state["terminated"]["exitCode"] for pod in pods
             for container in pod["status"].get("containerStatuses", [])
             if "terminated" in (state := container["state"])]
    message = f"exit code {codes[0]}" if workload.phase == "Failed" else ""
    if workload.type == "external":
        return {"observedStatus": {"phase": workload.phase, "message": message}}
    return {"phase": workload.phase, "phaseMessage": message}


POD_PHASES = {"Completed": "Succeeded", "Failed": "Failed", "Running": "Running"}


def settled_pods(workload):
    """The workload's pods if all have come to where it settles, else None; [[]] is of none."""
    pods = [cluster.get("pod", pod_name(workload, index), "-n", namespace_of(workload.project))
            for index in range(workload.replicas)]
    return [pods] if all(as_wanted(workload, pod) for pod in pods) else None


def as_wanted(workload, pod):
    """Has the pod come to where its workload settles?"""
    status = pod["status"]
    if status.get("phase") != POD_PHASES[workload.phase]:
        return False
    return workload.phase != "Running" or all(
        "running" in container["state"] for container in status["containerStatuses"])


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
        pods, = eventually(functools.partial(settled_pods, workload),
                          f"{workload.name}'s pods run, or have ended", START)
        kind = described(workload)
        statuses.append({"apiVersion": kind["apiVersion"], "kind": kind["kind"],
                         "metadata": metadata(workload.name, workload),
                         "status": status_of(workload, pods)})
    cluster.apply(statuses, "--server-side", "--subresource=status", "--field-manager=tests")


# --- who may do what ---


def binding(name, role, subject, namespace=None):
    kind, subject_name = subject
    scope = {"namespace": namespace} if namespace else {}
    return {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
            "metadata": {"name": name, **scope},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": RBAC, "kind": kind, "name": subject_name}]}


def bindings(namespace):
    """alice and group ml everything in the project, only-VERB that, the operator all of it."""
    for verb in VERBS:
        role = f"sluice-{verb}"
        yield binding(f"alice-{verb}", role, ("User", "alice"), namespace)
        yield binding(f"ml-{verb}", role, ("Group", "ml"), namespace)
        yield binding(f"only-{verb}", role, ("User", f"only-{verb}"), namespace)
        yield binding(f"sluice-test-{OPERATOR}-{verb}", role, ("User", OPERATOR))


def prepare_project(project):
    """An empty namespace for the project, with the users' rights."""
    name = namespace_of(project)
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found", timeout=120)
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace",
                    "metadata": {"name": name, "labels": {"runai/queue": project}}}])
    cluster.wait("create", "serviceaccount/default", "-n", name)
    cluster.apply(bindings(name))


class KubernetesBackend:
    """All servers share the cluster; a workload that a test brings along is created with it."""
    kind = "kubernetes"

    def __init__(self, folder, mode):
        self.mode = mode
        self.kubeconfig = folder / "kubeconfig"
        cluster.kubectl("apply", "-f", str(ROOT / "tests/kubernetes/manifests/crds.yaml"),
                        "-f", str(DEPLOY / f"rbac-{mode}.yaml"),
                        "-f", str(DEPLOY / "user-roles.yaml"))
        cluster.wait("condition=Established", "-f",
                     str(ROOT / "tests/kubernetes/manifests/crds.yaml"))
        self.kubeconfig.write_text(service_account.kubeconfig("sluice", "sluiced", "6h"))
        prepare_project(catalogue.PROJECT)
        self._alive = set()

    def settings(self, **changes):
        """A configuration for tests; `changes` replace top-level keys, None removes one."""
        usual = {
            "listen": "127.0.0.1:0",
            "admin": {"listen": "127.0.0.1:0"},
            "auth": {"development": {"enabled": True}},
            "authorization": {"mode": self.mode},
            "backend": {"kind": "kubernetes",
                        "kubernetes": {"kubeconfig": str(self.kubeconfig), "mapping": "runai",
                                       "stateDir": "state"}},
        }
        return {key: value for key, value in (usual | changes).items() if value is not None}

    def serve(self, folder, *workloads, **changes):
        """A server, not yet started, in a cluster where the workloads are."""
        self.create(*workloads)
        return Server(folder, self.settings(**changes))

    def create(self, *workloads):
        """Brings those to life that have not been yet."""
        missing = [workload for workload in workloads if workload.path("") not in self._alive]
        if missing:
            create(*missing)
            self._alive |= {workload.path("") for workload in missing}

    pod = staticmethod(pod_name)

    @staticmethod
    def close():
        cluster.kubectl("delete", "namespace", namespace_of(catalogue.PROJECT), "--wait=false")
