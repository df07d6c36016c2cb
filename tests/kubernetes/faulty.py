"""A real sluiced before the bed's API server, with a proxy between that can fail, and workloads to try it on."""
import json

import cluster
from support import catalogue
from support.client import Client
from support.kubernetes import KubernetesBackend, prepare_project
from support.pods import namespace_of
from support.runai_objects import described, pod_of
from support.server import Server
from support.waiting import eventually

__all__ = ["FaultyGateway", "catalogue", "eventually", "namespace_of"]


class FaultyGateway:
    """Serves one project; `proxy` is what it takes for the API server."""

    def __init__(self, folder, proxy, project):
        self.folder = folder
        self.proxy = proxy
        self.project = project
        self.backend = KubernetesBackend(folder, "impersonate")
        prepare_project(project)
        config = json.loads(self.backend.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
        self.backend.kubeconfig.write_text(json.dumps(config))
        self.server = Server(folder, self.backend.settings()).start()
        self.client = self.user("alice")
        eventually(lambda: self.status().get("status") == "OK", "the cluster is known", 30)

    def user(self, name):
        return Client(self.server, self.server.token(name))

    def status(self):
        return self.client.get(f"{catalogue.BASE}/status").json

    def workload(self, name, script, grace=0, ready=True, **pod):
        """A workload of one pod that runs a shell script; `pod` are further keys of the pod's spec."""
        workload = catalogue.Workload(name, (catalogue.shell(script),), project=self.project)
        (made,) = cluster.apply([described(workload)])
        manifest = pod_of(workload, 0, made["metadata"]["uid"])
        manifest["spec"] |= {"terminationGracePeriodSeconds": grace, **pod}
        cluster.apply([manifest])
        if ready:
            cluster.wait("condition=Ready", f"pod/{name}-0-0", "-n", namespace_of(self.project))
            eventually(lambda: self.client.phase(workload) == "Running", f"{name} is known to run")
        return workload

    def delete_pod(self, workload, *how):
        cluster.kubectl("delete", "pod", f"{workload.name}-0-0", "-n", namespace_of(self.project), *how)

    def close(self):
        code = self.server.stop()
        cluster.kubectl("delete", "namespace", namespace_of(self.project), namespace_of(catalogue.PROJECT),
                        "--wait=false", "--ignore-not-found")
        assert code == 0, self.server.output
