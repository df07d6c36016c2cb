"""Contract §3: every error before an upgrade, its body, and what its message says."""
import pytest

from support.catalogue import BASE, CAT, DUO, EMPTY, FAILED, FINISHED, LINES, SHELL
from support.client import argv
from support.httpclient import dial, read_head
from support.platform import GHOST, OPERATOR

WEBSOCKETS = {"logs": {}, "exec": {"command": argv("true")}, "attach": {},
              "port-forward": {"port": "1"}}
MISSING = LINES.named(name="missing")


def assert_error(answer, code):
    """{"code": …, "message": "…", "details": "…"?} and nothing else."""
    assert answer.status == code, answer
    assert answer.headers["content-type"] == "application/json"
    body = answer.json
    assert body["code"] == code
    assert isinstance(body["message"], str) and body["message"]
    assert set(body) <= {"code", "message", "details"}


@pytest.mark.parametrize("path, query, code", [
    (LINES.path("logs"), "tailLines=x", 400), (MISSING.named(name="A_B").path("status"), "", 400),
    (LINES.path("port-forward"), "", 400), (LINES.path("exec"), "", 400),
    (LINES.named(project="project2").path("status"), "", 403),
    (BASE + "/x", "", 404),
    (LINES.path("logs/download"), "pod=x", 404), (LINES.path("logs"), "", 426)])
def test_error_before_an_upgrade_is_json(client, path, query, code):
    assert_error(client.get(path, query), code)


@pytest.mark.parametrize("endpoint", WEBSOCKETS)
def test_plain_get_on_a_websocket_endpoint_is_426_with_upgrade_headers(client, endpoint):
    answer = client.get(LINES.path(endpoint), WEBSOCKETS[endpoint])
    assert_error(answer, 426)
    assert answer.headers["upgrade"] == "websocket"
    assert "upgrade" in answer.headers["connection"].lower()


@pytest.mark.parametrize("endpoint", WEBSOCKETS)
def test_missing_project_is_404(platform, endpoint):
    ghost = LINES.named(project=GHOST)
    operator = platform.user(OPERATOR)
    assert_error(operator.refused(ghost.path(endpoint), WEBSOCKETS[endpoint]), 404)


def test_missing_project_is_404_over_http(platform):
    for endpoint in ("status", "logs/download"):
        answer = platform.user(OPERATOR).get(LINES.named(project=GHOST).path(endpoint))
        assert_error(answer, 404)


@pytest.mark.parametrize("endpoint", WEBSOCKETS)
def test_missing_pod_is_404(platform, client, endpoint):
    answer = client.refused(LINES.path(endpoint), WEBSOCKETS[endpoint] | {"pod": "nope"})
    assert_error(answer, 404)
    assert "nope" in answer.message
    assert platform.pod(LINES) in answer.message


@pytest.mark.parametrize("endpoint", WEBSOCKETS)
def test_missing_container_is_404_and_the_message_says_what_the_pod_has(platform, client, endpoint):
    answer = client.refused(DUO.path(endpoint), WEBSOCKETS[endpoint] | {"container": "gamma"})
    assert_error(answer, 404)
    assert f'container "gamma" not in pod "{platform.pod(DUO)}"; it has: alpha, beta' in answer.message


@pytest.mark.parametrize("endpoint", WEBSOCKETS)
def test_workload_without_pods_is_404(client, endpoint):
    assert_error(client.refused(EMPTY.path(endpoint), WEBSOCKETS[endpoint]), 404)


def test_workload_without_pods_is_404_on_download(client):
    assert_error(client.get(EMPTY.path("logs/download")), 404)


@pytest.mark.parametrize("endpoint", ["exec", "attach"])
@pytest.mark.parametrize("workload", [FINISHED, FAILED], ids=lambda w: w.name)
def test_exec_or_attach_on_a_finished_pod_is_409(client, endpoint, workload):
    assert_error(client.refused(workload.path(endpoint), WEBSOCKETS[endpoint]), 409)


@pytest.mark.parametrize("endpoint", WEBSOCKETS)
def test_missing_workload_is_500_as_plain_text(client, endpoint):
    answer = client.refused(MISSING.path(endpoint), WEBSOCKETS[endpoint])
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"missing" in answer.body


@pytest.mark.parametrize("endpoint", ["status", "logs/download"])
def test_missing_workload_is_500_as_plain_text_over_http(client, endpoint):
    answer = client.get(MISSING.path(endpoint))
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/plain")


def test_compat_missing_workload_404_is_json(serve):
    client = serve(LINES, compat={"missingWorkload": 404})
    assert_error(client.get(MISSING.path("status")), 404)
    assert_error(client.refused(MISSING.path("logs")), 404)


def test_attach_to_held_stdio_is_503_with_retry_after(client):
    with client.open(CAT.path("attach"), "stdin=true"):
        answer = client.refused(CAT.path("attach"), "stdin=true")
    assert_error(answer, 503)
    assert answer.headers["retry-after"].isdigit()


def test_message_never_shows_a_path_of_the_server(client, platform):
    for path in (LINES.path("exec"), MISSING.path("status"), LINES.path("logs/download")):
        answer = client.get(path, {"pod": "x", "command": argv("/nowhere/x")})
        assert str(platform.server.folder).encode() not in answer.body


def test_connection_is_kept_after_an_error(client):
    """An error answer doesn't cost the connection: two requests on one."""
    head = f"GET {BASE}/x HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with dial(client.server.address) as sock:
        for _ in range(2):
            sock.sendall(head)
            response, rest = read_head(sock)
            assert response.status == 404
            while len(rest) < int(response.headers["content-length"]):
                rest += sock.recv(65536)


def test_reason_of_every_close_is_short_text(client):
    messages, closed = client.run(SHELL, "sh", "-c", "exit 3")
    assert (messages, closed.code, closed.reason) == (b"", 1000, "exit code 3")
    assert len(closed.reason.encode()) <= 123
