"""sluiced as its users deploy it: the image of ./dev image, and an overlay of deploy/kubernetes with what is theirs.

There is no kube-proxy in the bed, so clients talk to the pods' own addresses.
"""
import dataclasses
import os
import pathlib
import ssl
import subprocess

import yaml

import cluster

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy/kubernetes"
IMAGE = ROOT / "build/image/sluiced.tar"
NAMESPACE = "sluice"
SELECTOR = "app.kubernetes.io/name=sluiced"


def containerd(*arguments):
    """What ctr says of the node's containers and images."""
    command = ["ctr", "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io", *arguments]
    return subprocess.check_output(command, text=True, timeout=60)


@dataclasses.dataclass(frozen=True)
class Replica:
    """A pod of the deployment, in the shape that a Client takes for its server."""
    name: str
    address: tuple
    admin: tuple
    pid: int  # of its sluiced


class Deployment:
    """The deployment, with a certificate and keys of the test's, in a folder of its own."""

    def __init__(self, folder, jwks, issuer):
        self.folder = folder
        self.tls = self._certificate()
        (folder / "keys.json").write_text(jwks)
        (folder / "sluiced.yaml").write_text(self._configuration(issuer))
        (folder / "kustomization.yaml").write_text(yaml.safe_dump({
            "resources": [os.path.relpath(BASE, folder.resolve())],
            "configMapGenerator": [{"name": "sluiced", "namespace": NAMESPACE, "behavior": "replace",
                                    "files": ["sluiced.yaml", "keys.json"]}],
            "secretGenerator": [{"name": "sluiced-tls", "namespace": NAMESPACE, "type": "kubernetes.io/tls",
                                 "files": ["tls.crt", "tls.key"]}],
        }))

    def _certificate(self):
        """Makes it; what clients trust."""
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        files = ("-keyout", self.folder / "tls.key", "-out", self.folder / "tls.crt")
        subprocess.run(["openssl", "req", "-x509", "-days", "2", *key, *names, *files], check=True, capture_output=True)
        return ssl.create_default_context(cafile=self.folder / "tls.crt")

    @staticmethod
    def _configuration(issuer):
        """The base's, but for the issuer, a short end for impatient tests, and a log that tells all it can."""
        settings = yaml.safe_load((BASE / "sluiced.yaml").read_text())
        settings["auth"] = {"issuers": [issuer | {"jwksFile": "keys.json"}]}
        settings["sessions"] = {"shutdownGrace": "3s"}
        settings["log"] = {"level": "debug"}
        return yaml.safe_dump(settings)

    def start(self):
        assert IMAGE.exists(), "no image: ./dev image builds it"
        containerd("images", "import", str(IMAGE))
        cluster.kubectl("apply", "-k", str(self.folder))
        self.wait_for_replicas()
        return self

    @staticmethod
    def wait_for_replicas():
        cluster.kubectl("rollout", "status", "deployment/sluiced", "-n", NAMESPACE, "--timeout=180s", timeout=190)

    @staticmethod
    def replicas():
        """Those that are ready and have not been told to end."""
        pods = cluster.get("pods", "-n", NAMESPACE, "-l", SELECTOR)
        tasks = dict(line.split()[:2] for line in containerd("tasks", "list").splitlines()[1:])  # so none is missing
        found = []
        for pod in pods:
            container, = pod["status"].get("containerStatuses") or [{"ready": False}]
            if container["ready"] and "deletionTimestamp" not in pod["metadata"]:
                ip, pid = pod["status"]["podIP"], tasks[container["containerID"].removeprefix("containerd://")]
                found.append(Replica(pod["metadata"]["name"], (ip, 8443), (ip, 9090), int(pid)))
        return found

    @staticmethod
    def stop():
        """Roles and namespace stay: they are harmless, and other tests bring the same ones."""
        cluster.kubectl("delete", "deployment/sluiced", "-n", NAMESPACE, "--cascade=foreground", timeout=240)
