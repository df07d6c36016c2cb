"""The stand on a cluster: sluiced before the test bed's API server, which is the peer when it is asked directly.

It runs inside the bed, as tests/kubernetes does, and has workloads, users and rights from the end-to-end tests.
Nothing is kept to a core of its own: what serves either side is mostly the cluster.
"""
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile
import time

import cluster
from stand import Stand
from support.catalogue import PROJECT
from support.kubernetes import DEPLOY, KubernetesBackend
from support.pods import namespace_of
from support.server import Server
from table import ROOT

ALL_CORES = f"0-{os.cpu_count() - 1}"
STATE = pathlib.Path(os.environ["KUBECONFIG"]).parent
NAMESPACE = namespace_of(PROJECT)
API = "https://127.0.0.1"


class Cluster:
    """What all rows share: the project, and an account of ours that may do everything."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-bench-")
        path = pathlib.Path(self.folder.name)
        self.backend = KubernetesBackend(path, "impersonate")
        cluster.kubectl("apply", "-f", str(DEPLOY / "rbac-kubelet-logs.yaml"))
        cluster.kubectl("create", "serviceaccount", "bench", "-n", NAMESPACE)
        cluster.kubectl("create", "clusterrolebinding", "bench", "--clusterrole=cluster-admin",
                        f"--serviceaccount={NAMESPACE}:bench")
        self.token = path / "token"
        self.token.write_text(cluster.kubectl("create", "token", "bench", "-n", NAMESPACE, "--duration=6h").strip())
        self.header = path / "header"
        self.header.write_text(f"Authorization: Bearer {self.token.read_text()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        cluster.kubectl("delete", "clusterrolebinding", "bench")
        cluster.kubectl("delete", "-f", str(DEPLOY / "rbac-kubelet-logs.yaml"))
        self.backend.close()
        self.folder.cleanup()


class ClusterStand(Stand):
    server_cores = load_cores = ALL_CORES

    def __init__(self, shared, scale):
        super().__init__(ROOT, scale)
        self.cluster = shared
        self.servers = contextlib.ExitStack()

    def __exit__(self, *exception):
        self.servers.close()
        super().__exit__(*exception)

    def create(self, *workloads):
        self.cluster.backend.create(*workloads)

    def pod(self, workload):
        return self.cluster.backend.pod(workload)

    def sluiced(self, logs="api", **changes):
        """A server of its own; returns (server, port, a file with alice's token)."""
        settings = self.cluster.backend.settings()
        settings["backend"]["kubernetes"]["logs"] = logs
        settings |= {"sessions": {"max": 20000, "maxPerUser": 20000}, "log": {"level": "error"}}
        folder = self.path / f"server-{len(list(self.path.iterdir()))}"
        folder.mkdir()
        server = Server(folder, settings | changes)
        self.servers.callback(server.stop)
        server.start()
        return server, server.address[1], self.write(f"{folder.name}-token", server.token("alice", ttl="6h"))

    def curl(self, path):
        """Downloads from the API server; how many seconds it took."""
        command = ["curl", "-sf", "--cacert", STATE / "pki/ca.crt", "-H", f"@{self.cluster.header}", "-o", "/dev/null",
                   "-w", "%{time_total}", API + path]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
        return float(done.stdout)


def kubectl_seconds(*arguments, **options):
    """How long kubectl takes, its start included; what it prints is thrown away."""
    begin = time.monotonic()
    subprocess.run(["kubectl", *arguments], stdout=subprocess.DEVNULL, check=True, timeout=600, **options)
    return time.monotonic() - begin


def component(name):
    """The process id of a part of the cluster."""
    return int((STATE / "components" / name).read_text())


def processor_seconds(pid):
    """What a process has used so far, of all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def versions():
    server = re.search(r"Server Version: (\S+)", cluster.kubectl("version"))[1]
    curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return f"Kubernetes and kubectl {server}, curl {curl}"
