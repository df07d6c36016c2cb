"""What the tests may ask of a platform: a server that serves the catalogue, clients, names of pods.

A platform has a backend, which brings workloads to life and makes servers for them: LocalBackend
(local.py) or KubernetesBackend (kubernetes.py), each with `kind`, `serve`, `pod` and `object_kind`.
"""
import functools

from support import catalogue, tokens
from support.client import Client

VERBS = ("status", "logs", "exec", "attach", "port-forward")
# Who may do what, on every platform: alice and group ml everything in the project, only-VERB only
# that; bob everything in the next project; stranger nothing; and this one everything in every
# project, also in one that isn't there.
OPERATOR = "operator"
GHOST = "ghost"  # a project that doesn't exist


class Platform:
    """One server for the whole session."""
    project = catalogue.PROJECT
    base = catalogue.BASE

    def __init__(self, backend, folder):
        self.kind = backend.kind
        self.pod = backend.pod
        self.object_kind = backend.object_kind
        self.key = tokens.Key("ES256")
        (folder / "keys.json").write_text(tokens.jwks(self.key))
        issuer = {"issuer": tokens.ISSUER, "audiences": ["sluice"], "jwksFile": "keys.json"}
        auth = {"development": {"enabled": True}, "issuers": [issuer]}
        workloads = catalogue.ALL + catalogue.NEIGHBOURS
        self.server = backend.serve(folder, *workloads, auth=auth).start()
        self.client = Client(self.server, self.token("alice"))
        operator = self.user(OPERATOR)
        operator.settle(*workloads)
        for workload, count in ((catalogue.LINES, 100), (catalogue.PAIR, 1), (catalogue.DUO, 1)):
            operator.await_lines(workload, count)

    @functools.cache
    def token(self, user, groups=(), ttl="1h"):
        return self.server.token(user, groups, ttl)

    def user(self, name, groups=()):
        """A client of another user."""
        return Client(self.server, self.token(name, groups))
