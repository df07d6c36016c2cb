"""The Kubernetes backend: workloads are objects and pods of a cluster, in the shape that Run:ai gives them
(runai_objects.py), or as Kubernetes itself has them (native_objects.py).

It runs inside the test bed (docs/internals/kubernetes-bed.md). sluiced is the service account of
deploy/kubernetes/, and users have the roles there: so the tests hold only if those suffice.
"""
from support import catalogue, native_objects, runai_objects
from support.platform import OPERATOR, VERBS
from support.pods import cluster, namespace_of
from support.server import ROOT, Server

import service_account  # beside cluster, in tests/kubernetes

DEPLOY = ROOT / "deploy/kubernetes"
RBAC = "rbac.authorization.k8s.io"
SHAPES = {"runai": runai_objects, "kubernetes": native_objects}  # by the mapping that finds them


def binding(name, role, subject, namespace=None):
    kind, subject_name = subject
    scope = {"namespace": namespace} if namespace else {}
    return {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
            "metadata": {"name": name, **scope},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": RBAC, "kind": kind, "name": subject_name}]}


def bindings(project):
    """alice and group ml everything in the project, only-VERB that, bob the next one, the operator all of it."""
    namespace = namespace_of(project)
    for verb in VERBS:
        role = f"sluice-{verb}"
        yield binding(f"sluice-test-{OPERATOR}-{verb}", role, ("User", OPERATOR))
        if project == catalogue.NEXT_PROJECT:
            yield binding(f"bob-{verb}", role, ("User", "bob"), namespace)
            continue
        yield binding(f"alice-{verb}", role, ("User", "alice"), namespace)
        yield binding(f"ml-{verb}", role, ("Group", "ml"), namespace)
        yield binding(f"only-{verb}", role, ("User", f"only-{verb}"), namespace)


def prepare_project(project):
    """An empty namespace for the project, with the users' rights."""
    name = namespace_of(project)
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found", timeout=300)
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace",
                    "metadata": {"name": name, "labels": {"runai/queue": project}}}])
    cluster.wait("create", "serviceaccount/default", "-n", name)
    cluster.apply(bindings(project))


def by_file(*paths):
    """kubectl's arguments for manifests."""
    return [argument for path in paths for argument in ("-f", str(path))]


class KubernetesBackend:
    """All servers share the cluster; a workload that a test brings along is created with it."""
    kind = "kubernetes"

    def __init__(self, folder, mode, mapping="runai", project=catalogue.PROJECT):
        self.mode = mode
        self.project = project
        self.mapping = mapping
        self.pod = SHAPES[mapping].pod_name
        self.object_kind = SHAPES[mapping].object_kind
        self.kubeconfig = folder / "kubeconfig"
        rights = [DEPLOY / f"rbac-{mode}.yaml", DEPLOY / "user-roles.yaml", *SHAPES[mapping].RIGHTS]
        cluster.kubectl("apply", *by_file(*rights), *by_file(SHAPES[mapping].KINDS_FILE))
        cluster.wait("condition=Established", *by_file(SHAPES[mapping].KINDS_FILE))
        self.kubeconfig.write_text(service_account.kubeconfig("sluice", "sluiced", "6h"))
        prepare_project(project)
        self._projects = {project}
        self._alive = set()

    def settings(self, **changes):
        """A configuration for tests; `changes` replace top-level keys, None removes one."""
        usual = {
            "listen": "127.0.0.1:0",
            "admin": {"listen": "127.0.0.1:0"},
            "auth": {"development": {"enabled": True}},
            "authorization": {"mode": self.mode},
            "backend": {"kind": "kubernetes",
                        "kubernetes": {"kubeconfig": str(self.kubeconfig), "mapping": self.mapping,
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
        for project in {workload.project for workload in missing} - self._projects:
            prepare_project(project)
            self._projects.add(project)
        if missing:
            SHAPES[self.mapping].create(*missing)
            self._alive |= {workload.path("") for workload in missing}

    def close(self):
        cluster.kubectl("delete", "namespace", *map(namespace_of, self._projects), "--wait=false")
