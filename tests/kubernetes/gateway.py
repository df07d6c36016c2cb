"""sluiced in front of the bed's cluster, for tests of what only a cluster does.

Workloads, users and their rights are those of the end-to-end suite (tests/e2e/support).
"""
from support.catalogue import Workload, shell  # noqa: F401
from support.client import Client
from support.kubernetes import KubernetesBackend
from support.pods import namespace_of  # noqa: F401
from support.runai_objects import pod_name  # noqa: F401


class Gateway:
    """One sluiced. Called with workloads, it brings them to life and returns alice's client."""

    def __init__(self, folder, mode="impersonate"):
        self.backend = KubernetesBackend(folder, mode)
        self.server = self.backend.serve(folder).start()

    def __call__(self, *workloads):
        client = Client(self.server, self.server.token("alice"))
        self.backend.create(*workloads)
        client.settle(*workloads)
        return client

    def stop(self):
        assert self.server.stop(timeout=60) == 0, self.server.output
        self.backend.close()
