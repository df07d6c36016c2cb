"""A real sluiced before the bed's API server, with a proxy between that can fail, and workloads to try it on."""
import json

import cluster
from service_account import RevocableToken
from support import catalogue
from support.client import Client
from support.kubernetes import KubernetesBackend
from support.pods import namespace_of
from support.rawws import Refused
from support.runai_objects import described, pod_of
from support.server import Server
from support.waiting import eventually

__all__ = ["Gateway", "catalogue", "eventually", "namespace_of", "numbers"]


class Gateway:
    """Serves one project; `proxy` is what it takes for the API server."""

    def __init__(self, folder, proxy, project):
        self.folder = folder
        self.proxy = proxy
        self.project = project
        self.backend = KubernetesBackend(folder, "impersonate", project=project)
        config = json.loads(self.backend.kubeconfig.read_text())
        config["users"][0]["user"] = {"tokenFile": str(folder / "token")}  # as a pod's: others renew it
        self.renew_token()
        self.kubeconfig = config
        self.server = self.serve(folder, proxy)
        self.client = self.user("alice")
        eventually(lambda: self.status().get("status") == "OK", "the cluster is known", 60)

    def serve(self, folder, proxy, sessions=None, **kubernetes):
        """A server behind that proxy; keywords are keys of its backend. Whoever asks for another one stops it."""
        self.kubeconfig["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
        (folder / "kubeconfig").write_text(json.dumps(self.kubeconfig))
        settings = self.backend.settings(sessions=sessions)
        settings["backend"]["kubernetes"] |= {"kubeconfig": str(folder / "kubeconfig"), **kubernetes}
        return Server(folder, settings).start()

    def renew_token(self):
        """Replaces the token file at once, as a pod's volume does."""
        self.token = RevocableToken("sluice", "sluiced")
        (self.folder / "token.new").write_text(self.token.text)
        (self.folder / "token.new").replace(self.folder / "token")

    def user(self, name):
        return Client(self.server, self.server.token(name))

    def status(self):
        return self.client.get(f"{catalogue.BASE}/status").json

    def workload(self, name, script, grace=0, ready=True, stdin=False, **pod):
        """A workload of one pod that runs a shell script; `pod` are further keys of the pod's spec."""
        workload = catalogue.Workload(name, (catalogue.shell(script, stdin=stdin),), project=self.project)
        (made,) = cluster.apply([described(workload)])
        manifest = pod_of(workload, 0, made["metadata"]["uid"])
        manifest["spec"] |= {"terminationGracePeriodSeconds": grace, **pod}
        cluster.apply([manifest])
        if ready:
            cluster.wait("condition=Ready", f"pod/{name}-0-0", "-n", namespace_of(self.project))
            # A watch that was cut again and again is begun anew after a pause of up to twenty seconds.
            eventually(lambda: self.client.phase(workload) == "Running", f"{name} is known to run", 60)
        return workload

    def says(self, workload):
        """What a command says in it; None while there is no way in, which API servers before 1.36 find out late."""
        try:
            output, closed = self.client.run(workload, "echo", "here")
            return output if closed.code == 1000 else None
        except Refused as refused:
            assert refused.response.status == 503, refused
            return None

    def await_way_in(self, workload, patience):
        """Until a command runs in it. One that is begun while the node comes back may hang there for good."""
        hung = []

        def says():
            try:
                return self.says(workload)
            except TimeoutError:
                hung.append(workload)
                assert len(hung) == 1, "the next one should not hang"
                return None

        assert eventually(says, f"there is a way into {workload.name}", patience) == b"here\n"

    def delete_pod(self, workload, *how):
        cluster.kubectl("delete", "pod", f"{workload.name}-0-0", "-n", namespace_of(self.project), *how)

    def close(self):
        code = self.server.stop(timeout=60)
        self.backend.close()
        assert code == 0, self.server.output


def numbers(follow, count, patience):
    """Of the next lines of a workload that counts, none of which may take longer."""
    received = b""
    while received.count(b"\n") < count:
        message = follow.message(patience)
        assert isinstance(message, bytes), f"{message} after {received[-200:]}"
        received += message
    return [int(line.split()[1]) for line in received.splitlines()]
