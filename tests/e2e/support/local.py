"""The local backend: workloads are processes of this machine, and those of their server."""
from support import catalogue
from support.platform import OPERATOR, VERBS
from support.server import Server


def settings(**changes):
    """A configuration for tests; `changes` replace top-level keys, None removes one."""
    rules = [{"subjects": ["user:alice", "group:ml"], "projects": [catalogue.PROJECT],
              "verbs": ["*"]},
             {"subjects": ["user:bob"], "projects": [catalogue.NEXT_PROJECT], "verbs": ["*"]},
             {"subjects": [f"user:{OPERATOR}"], "projects": ["*"], "verbs": ["*"]}]
    rules += [{"subjects": [f"user:only-{verb}"], "projects": [catalogue.PROJECT], "verbs": [verb]}
              for verb in VERBS]
    usual = {
        "listen": "127.0.0.1:0",
        "admin": {"listen": "127.0.0.1:0"},
        "auth": {"development": {"enabled": True}},
        "authorization": {"mode": "policy", "rules": rules},
        "backend": {"kind": "local",
                    "local": {"workloads": "workloads.yaml", "stateDir": "state"}},
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


def describe(*workloads):
    """The `projects` of a workloads file."""
    projects = {}
    for workload in workloads:
        containers = [{"name": container.name, "command": list(container.command)}
                      | container.options for container in workload.containers]
        projects.setdefault(workload.project, []).append(
            {"name": workload.name, "type": workload.type, "framework": workload.framework,
             "replicas": workload.replicas, "containers": containers})
    return projects


class LocalBackend:
    """Each server runs its own workloads."""
    kind = "local"

    @staticmethod
    def serve(folder, *workloads, **changes):
        """A server, not yet started."""
        return Server(folder, settings(**changes), describe(*workloads))

    @staticmethod
    def pod(workload, index=0):
        return f"{workload.name}-0-{index}"

    @staticmethod
    def object_kind(workload):
        """Run:ai's."""
        return {"workspace": "InteractiveWorkload", "training": "TrainingWorkload",
                "distributed": "DistributedWorkload", "inference": "InferenceWorkload",
                "external": "ExternalWorkload"}[workload.type]

    def close(self):
        """Nothing outlives a server."""
