"""Operations (contract §4, §9): /healthz, /readyz and /metrics on the admin listener, no token."""
import json
import re

import pytest

from support.catalogue import BASE, LINES, PROJECT, SHELL
from support.metrics import admin, metrics
from support.waiting import eventually

def changed(before, after, *words):
    """The samples that grew and whose name holds each word."""
    return {name: value - before.get(name, 0) for name, value in after.items()
            if value > before.get(name, 0) and all(word in name for word in words)}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_and_readiness_need_no_token(client, path):
    assert admin(client, path).status == 200


def test_admin_serves_nothing_else(client):
    assert admin(client, BASE + "/status").status == 404
    assert admin(client, "/").status == 404
    assert admin(client, "/healthz", "POST").status == 405


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_api_listener_does_not_serve_the_admin_paths(client, path):
    assert client.get(path).status == 404


def test_requests_sessions_bytes_lines_and_close_codes_are_counted(client):
    before = metrics(client)
    client.get(LINES.path("status"))
    client.logs(LINES)
    client.run(SHELL, "echo", "hi")

    def counted():
        after = metrics(client)
        kinds = [("request",), ("upgrade",), ("session",), ("bytes",), ("lines",), ("1000",)]
        return all(changed(before, after, *words) for words in kinds)
    eventually(counted, "every kind of counter")


def test_auth_failures_are_counted(client):
    before = metrics(client)
    assert client.as_user("nonsense").get(BASE + "/status").status == 401
    assert changed(before, metrics(client), "auth")


def test_latencies_are_histograms(client):
    client.get(LINES.path("status"))
    names = set(metrics(client))
    assert any(re.search(r"_seconds_bucket\{.*le=", name) for name in names)
    assert any(name.startswith(tuple(n.replace("_bucket", "_count").split("{")[0] for n in names
                                     if "_bucket" in n)) for name in names)


def test_labels_are_bounded_names_of_callers_never_become_labels(client):
    for number in range(20):
        client.get(LINES.named(name=f"scan-{number}").path("status"))
        client.get(f"/scan-{number}")
    text = admin(client, "/metrics").body.decode()
    assert "scan-" not in text


def ends_of_exec_sessions(client):
    lines = [line for line in client.server.lines if line.startswith("{")]
    return [record for record in map(json.loads, lines)
            if record.get("event") == "session ended" and record["verb"] == "exec"]


def test_one_line_per_session_end_with_who_what_how_long_bytes_and_close_code(platform):
    client = platform.user("chronicler", ("ml",))  # whose sessions are this test's alone
    client.run(SHELL, "echo", "a-secret-argument")

    def own_records():
        return [end for end in ends_of_exec_sessions(client) if end["user"] == "chronicler"]
    record, = eventually(own_records, "a line")
    assert (record["project"], record["workload"]) == (PROJECT, "shell")
    assert (record["close_code"], record["reason"]) == (1000, "exit code 0")
    assert record["seconds"] >= 0 and record["sent_bytes"] >= len("a-secret-argument\n")


def test_tokens_and_command_arguments_are_never_logged(client):
    client.run(SHELL, "echo", "a-secret-argument")
    client.get(SHELL.path("status"))
    output = client.server.output
    for secret in ["a-secret-argument", *client.token.split(".")[1:]]:
        assert secret not in output


def test_log_is_json_line_by_line(client):
    rest = [line for line in client.server.lines if not line.startswith(("listening on", "admin on"))]
    assert rest
    for line in rest:
        json.loads(line)
