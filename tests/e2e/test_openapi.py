"""docs/user/openapi.yaml: what it says of the answers is what the server answers. tools/check_docs compares its paths
and query fields with the source."""
import json

import pytest
import yaml

from support.catalogue import ALL, BASE, FAILED, LINES, PAIR, PROJECT
from support.server import ROOT

DOCUMENT = yaml.safe_load((ROOT / "docs/user/openapi.yaml").read_text())
KINDS = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
WORKLOAD = "/api/v1/{project}/workloads/{type}/{framework}/{name}"
LIST = "/api/v1/{project}/workloads"


def resolved(node):
    """What stands where a $ref points."""
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def differences(value, schema, where="body"):
    """Where a value is not what the schema says; members that it doesn't name are differences, too."""
    schema = resolved(schema)
    if type(value) is not KINDS[schema["type"]]:
        return [f"{where}: {value!r} is no {schema['type']}"]
    if value not in schema.get("enum", [value]):
        return [f"{where}: {value!r} is none of {schema['enum']}"]
    found = []
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += differences(item, schema["items"], f"{where}[{index}]")
    if isinstance(value, dict):
        found += [f"{where}: lacks {name}" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            described = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            found += differences(member, described, f"{where}.{name}") if described else [f"{where}: {name}?"]
    return found


def documented(path, answer):
    """The schema of this answer, which must be among those of the path."""
    response = resolved(DOCUMENT["paths"][path]["get"]["responses"][str(answer.status)])
    return response["content"][answer.headers["content-type"].split(";")[0]]["schema"]


def assert_as_documented(path, answer, status):
    assert answer.status == status
    schema = documented(path, answer)
    value = answer.json if "json" in answer.headers["content-type"] else answer.body.decode()
    assert differences(value, schema) == []


def test_cluster_status(client):
    assert_as_documented("/status", client.get(BASE + "/status"), 200)
    assert_as_documented("/status", client.as_user(None).get(BASE + "/status"), 401)
    assert_as_documented("/status", client.get(BASE + "/status", method="POST"), 405)


@pytest.mark.parametrize("endpoint", ["status", "pods"])
def test_workloads_and_their_pods(client, endpoint):
    for workload in ALL:
        assert_as_documented(f"{WORKLOAD}/{endpoint}", client.get(workload.path(endpoint)), 200)


def test_list(client):
    assert_as_documented(LIST, client.get(f"{BASE}/api/v1/{PROJECT}/workloads"), 200)
    assert_as_documented(LIST, client.get(f"{BASE}/api/v1/{PROJECT}/workloads", "type=x"), 400)


def test_watch(platform):
    client = platform.client.as_user(platform.server.token(ttl="5s"))
    answer = client.get(f"{BASE}/api/v1/{PROJECT}/workloads", "watch=true")
    schema = documented(LIST, answer)
    events = [json.loads(line) for line in answer.body.splitlines()]
    assert [difference for event in events for difference in differences(event, schema)] == []
    assert {"ADDED", "SYNCED", "END"} <= {event["event"] for event in events}


@pytest.mark.parametrize("path", [path for path in DOCUMENT["paths"] if path.startswith(WORKLOAD)])
def test_errors_of_each_endpoint(platform, path):
    endpoint = path.removeprefix(WORKLOAD + "/")
    query = {"exec": "command=WyJ0cnVlIl0", "port-forward": "port=80"}.get(endpoint, "")
    there, nowhere = LINES.path(endpoint), LINES.named(name="nowhere").path(endpoint)
    is_socket = "101" in DOCUMENT["paths"][path]["get"]["responses"]
    for answer, status in [
            (platform.client.as_user(None).get(there, query), 401),
            (platform.client.get(LINES.named(name="A_B").path(endpoint), query), 400),
            (platform.user("stranger").get(there, query), 403),
            (platform.client.get(there, query, method="PUT"), 405),
            (platform.client.refused(nowhere, query) if is_socket else platform.client.get(nowhere, query), 500)]:
        assert_as_documented(path, answer, status)
    if is_socket:
        assert_as_documented(path, platform.client.get(there, query), 426)
        assert_as_documented(path, platform.client.refused(there, (query + "&pod=nowhere").lstrip("&")), 404)


@pytest.mark.parametrize("workload", [FAILED, PAIR], ids=lambda w: w.name)
def test_a_difference_is_noticed(client, workload):
    """Of the comparison itself."""
    body = client.get(workload.path("status")).json
    schema = documented(f"{WORKLOAD}/status", client.get(workload.path("status")))
    assert differences(body | {"more": 1}, schema) == ["body: more?"]
    assert differences(body | {"phase": 1}, schema) == ["body.phase: 1 is no string"]
    assert differences(body | {"type": "job"}, schema)[0].startswith("body.type: 'job' is none of")
    del body["kind"]
    assert differences(body, schema) == ["body: lacks kind"]
