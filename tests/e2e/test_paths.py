"""Contract §1: paths, path parameters, and the pairs of type and framework."""
import json

import pytest

from support import catalogue
from support.catalogue import BASE, FINISHED, LINES, PAIR, PAIRS, PROJECT
from support.httpclient import raw_request

W = LINES.path("").rstrip("/")
ENDPOINTS = ["status", "logs", "logs/download", "exec", "attach", "port-forward"]


def test_cluster_status_is_below_the_base_path(client):
    answer = client.get(BASE + "/status")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", [
    "/", "/status", BASE, BASE + "/", BASE + "/status/", BASE + "/nothing", BASE + "/api/v1",
    BASE + "/api/v1/" + PROJECT, BASE + f"/api/v2/{PROJECT}/workloads/training/runai/lines/status",
    W, W + "/", W + "/statuses", W + "/status/", W + "/logs/upload", W + "/logs/download/x",
    W + "/portforward", "/CLUSTER-API/status"])
def test_any_other_path_is_404(client, path):
    answer = client.get(path)
    assert (answer.status, answer.json["code"]) == (404, 404)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_any_other_method_is_405_with_allow(client, endpoint, method):
    answer = client.get(LINES.path(endpoint), method=method)
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json["code"] == 405


def test_other_method_on_cluster_status_is_405_with_allow(client):
    answer = client.get(BASE + "/status", method="POST")
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("workload", PAIRS, ids=lambda w: f"{w.type}-{w.framework}")
def test_valid_pair_of_type_and_framework_is_served(client, workload):
    answer = client.get(workload.path("status"))
    assert answer.status == 200
    assert (answer.json["type"], answer.json["framework"]) == (workload.type, workload.framework)


@pytest.mark.parametrize("kind, framework, valid", [
    ("training", "pytorch", ["runai"]), ("workspace", "tf", ["runai"]),
    ("inference", "external", ["runai"]), ("external", "runai", ["external"]),
    ("distributed", "runai", ["pytorch", "tf", "mpi", "xgboost"]),
    ("distributed", "external", ["pytorch"]), ("training", "nonsense", ["runai"])])
def test_invalid_pair_is_400_naming_the_valid_ones(client, kind, framework, valid):
    answer = client.get(LINES.named(type=kind, framework=framework).path("status"))
    assert answer.status == 400
    for name in valid:
        assert name in answer.message


def test_unknown_type_is_400_naming_the_valid_ones(client):
    answer = client.get(LINES.named(type="job").path("status"))
    assert answer.status == 400
    for name in ["workspace", "training", "distributed", "inference", "external"]:
        assert name in answer.message


@pytest.mark.parametrize("workload", [LINES, PAIR], ids=lambda w: w.type)
def test_any_means_whichever_framework_the_workload_has_within_the_type(client, workload):
    answer = client.get(workload.path("status", framework="any"))
    assert answer.status == 200
    assert answer.json["framework"] == workload.framework


def test_any_never_reaches_an_external_workload(client):
    answer = client.get(catalogue.EXTERNAL.path("status", framework="any"))
    assert answer.status in (400, 500)


def test_other_framework_of_the_type_does_not_find_the_workload(client):
    assert client.get(PAIR.path("status", framework="tf")).status == 500


def test_path_segments_are_percent_decoded_once(client):
    assert client.get(W.replace("lines", "%6Cines") + "/status").status == 200
    assert client.get(W.replace("lines", "%256Cines") + "/status").status == 400


def path_of(project=PROJECT, name="lines", kind="training"):
    return f"{BASE}/api/v1/{project}/workloads/{kind}/runai/{name}/status"


@pytest.mark.parametrize("path", [
    path_of(project=""), path_of(name=""), path_of(kind=""),
    path_of(name="%2F"), path_of(name="%2f"), path_of(name="a%2Fb"), path_of(project="a%2Fb"),
    path_of(name="."), path_of(name=".."), path_of(name="%2e%2E"), path_of(project=".."),
    path_of(name="a%00b"), path_of(name="a%20b"), path_of(name="a%zzb"), path_of(name="a%2"),
    path_of(project="Project1"), path_of(project="a.b"), path_of(project="-a"),
    path_of(project="a-"), path_of(project="a_b"), path_of(project="a" * 64),
    path_of(name="Lines"), path_of(name="a..b"), path_of(name="a_b"), path_of(name="-a"),
    path_of(name="a."), path_of(name="a" * 254), path_of(name="%C3%A4")])
def test_malformed_path_parameter_is_400(client, path):
    answer = client.get(path)
    assert answer.status == 400
    assert "malformed path parameter" in answer.message


@pytest.mark.parametrize("name", ["a.b", "a" * 253, "1"])
def test_workload_name_may_be_any_rfc_1123_subdomain(client, name):
    assert client.get(path_of(name=name)).status == 500  # well formed, and not there


def test_unknown_query_fields_are_ignored(client):
    assert client.get(BASE + "/status", "nonsense=1&x").status == 200


@pytest.mark.parametrize("path", ["/cluster%2Dapi/status", "/%63luster-api/%73tatus"])
def test_fixed_segments_are_decoded_like_the_parameters(client, path):
    assert client.get(path).status == 200


def test_base_path_is_configurable(serve):
    client = serve(FINISHED, basePath="/gate/way")
    assert client.get("/gate/way/status").status == 200
    assert client.get(BASE + "/status").status == 404


def absolute(client, authority):
    head = (f"GET http://{authority}{BASE}/status HTTP/1.1\r\nHost: {authority}\r\n"
            f"Authorization: Bearer {client.token}\r\n\r\n")
    return raw_request(client.server.address, head.encode())


def test_absolute_form_is_served_if_its_authority_fits(client):
    answer = absolute(client, "{}:{}".format(*client.server.address))
    assert answer.status == 200
    assert json.loads(answer.body)["status"] == "OK"


def test_absolute_form_of_another_authority_is_never_proxied(client):
    head = (f"GET http://elsewhere.example{BASE}/status HTTP/1.1\r\n"
            "Host: {}:{}\r\n".format(*client.server.address)
            + f"Authorization: Bearer {client.token}\r\n\r\n")
    assert 400 <= raw_request(client.server.address, head.encode()).status < 500
