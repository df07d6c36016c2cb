"""The endpoints as docs/user/openapi.yaml has them, which tools/check_docs compares with the router: a test of all
endpoints can't miss a new one."""
import dataclasses

import yaml

from support.catalogue import BASE
from support.client import argv
from support.server import ROOT

DOCUMENT = yaml.safe_load((ROOT / "docs/user/openapi.yaml").read_text())
# The verb that each needs; a new one has to be entered here.
VERBS = {"getClusterStatus": None, "listWorkloads": "status", "getWorkloadStatus": "status", "listPods": "status",
         "followLogs": "logs", "downloadLogs": "logs", "exec": "exec", "attach": "attach",
         "forwardPort": "port-forward"}
REQUIRED = {"exec": {"command": argv("true")}, "forwardPort": {"port": "1"}}


@dataclasses.dataclass(frozen=True)
class Route:
    """One endpoint, or the watch that it can be asked for."""
    name: str
    pattern: str
    verb: str | None
    is_socket: bool
    fields: tuple
    query: dict = dataclasses.field(default_factory=dict, hash=False)

    def __str__(self):
        return self.name + ("-watch" if "watch" in self.query else "")

    def path(self, workload, **segments):
        """Of the workload; `segments` stand for its own as they are."""
        own = {"project": workload.project, "type": workload.type, "framework": workload.framework,
               "name": workload.name}
        return BASE + self.pattern.format(**own | segments)

    @property
    def segments(self):
        return [name for name in ("project", "type", "framework", "name") if f"{{{name}}}" in self.pattern]


def _field(parameter):
    return parameter["name"] if "name" in parameter else parameter["$ref"].rpartition("/")[2]


def _routes():
    for pattern, item in DOCUMENT["paths"].items():
        operation = item["get"]
        name = operation["operationId"]
        fields = tuple(_field(parameter) for parameter in operation.get("parameters", ()))
        route = Route(name, pattern, VERBS[name], "101" in operation["responses"], fields, REQUIRED.get(name, {}))
        yield route
        if "watch" in fields:
            yield dataclasses.replace(route, query={"watch": "true"})


ROUTES = list(_routes())
