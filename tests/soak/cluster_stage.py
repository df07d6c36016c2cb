"""The soak on a cluster: pods come and go, connections to the API server are cut or stall, and it is killed.

It runs inside the test bed (./dev kubernetes soak).
"""
import json
import time

from checked import CHURNED, WORKLOADS
from support.kubernetes import DEPLOY, KubernetesBackend
from support.pods import cluster, namespace_of
from support.proxy import Proxy
from support.runai_objects import described, pod_of
from support.server import Server

STALL = 2  # seconds, below what either side takes for a dead connection
AFTERMATH = 5  # seconds in which sessions still end for what went before
KILL_EVERY = 10  # steps


class ClusterStage:
    """A server that knows the API server by a proxy."""
    SETTLED = 120  # seconds until nothing of a client is left; connections to the API server are kept for 90

    def __init__(self, folder, settings, logs):
        self._proxy = Proxy()
        self._backend = KubernetesBackend(folder, "impersonate")
        self._backend.create(*(workload for workload in WORKLOADS if workload != CHURNED))
        kubeconfig = json.loads(self._backend.kubeconfig.read_text())
        kubeconfig["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self._proxy.port}"
        self._backend.kubeconfig.write_text(json.dumps(kubeconfig))
        self._owner = cluster.apply([described(CHURNED)])[0]["metadata"]["uid"]
        self._pods = 0  # of the changing workload, up to now
        self._pod = None  # the one that is there
        self._steps = 0
        self._failing = False
        self._failed_last = 0.0
        self._toggle_pod()
        cluster.kubectl("apply", "-f", DEPLOY / "rbac-kubelet-logs.yaml")
        config = self._backend.settings(**settings)
        config["backend"]["kubernetes"]["logs"] = logs
        self.server = Server(folder, config).start()

    def change(self, dice):
        """One step: mostly a pod that comes or goes."""
        self._steps += 1
        if self._steps % KILL_EVERY == 0:
            self._fail(self._kill_api_server)
        elif (choice := dice.randrange(10)) == 0:
            self._fail(self._proxy.cut)
        elif choice == 1:
            self._fail(self._stall)
        else:
            self._toggle_pod()

    def calm(self):
        if self._pod is None:
            self._toggle_pod()

    def failed_since(self, moment):
        """Whether a session that was there since that moment of time.monotonic() may have been ended by a failure."""
        return self._failing or moment < self._failed_last + AFTERMATH

    def close(self):
        code = self.server.stop(timeout=60)
        self._proxy.close()
        self._backend.close()
        return code

    def _fail(self, how):
        self._failing = True
        how()
        self._failed_last = time.monotonic()
        self._failing = False

    def _kill_api_server(self):
        cluster.component("restart", "kube-apiserver", "KILL")

    def _stall(self):
        self._proxy.stall()
        time.sleep(STALL)
        self._proxy.resume()

    def _toggle_pod(self):
        if self._pod is not None:
            cluster.kubectl("delete", "pod", self._pod, "-n", namespace_of(CHURNED.project), "--wait=false")
            self._pod = None
            return
        manifest = pod_of(CHURNED, self._pods, self._owner)
        self._pods += 1
        self._pod = manifest["metadata"]["name"]
        cluster.apply([manifest])
