"""The local backend as a platform: one sluiced per session with the whole catalogue."""
import functools

from support import catalogue, tokens
from support.client import Client
from support.server import Server

VERBS = ("status", "logs", "exec", "attach", "port-forward")
GHOST = "ghost"  # a project that alice may use and that doesn't exist


def settings(**changes):
    """A configuration for tests; `changes` replace top-level keys, None removes one."""
    rules = [{"subjects": ["user:alice", "group:ml"], "projects": [catalogue.PROJECT, GHOST],
              "verbs": ["*"]}]
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


class LocalPlatform:
    """What the tests may ask of a platform: a server, clients, and the names of pods."""
    kind = "local"
    project = catalogue.PROJECT
    base = catalogue.BASE

    def __init__(self, folder):
        self.key = tokens.Key("ES256")
        (folder / "keys.json").write_text(tokens.jwks(self.key))
        issuer = {"issuer": tokens.ISSUER, "audiences": ["sluice"], "jwksFile": "keys.json"}
        auth = {"development": {"enabled": True}, "issuers": [issuer]}
        self.server = Server(folder, settings(auth=auth), describe(*catalogue.ALL)).start()
        self.client = Client(self.server, self.token("alice"))
        self.client.settle(*catalogue.ALL)

    @functools.cache
    def token(self, user, groups=(), ttl="1h"):
        return self.server.token(user, groups, ttl)

    def user(self, name, groups=()):
        """A client of another user."""
        return Client(self.server, self.token(name, groups))

    @staticmethod
    def pod(workload, index=0):
        return f"{workload.name}-0-{index}"
