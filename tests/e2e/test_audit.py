"""The audit trail: who did what, and how it ended, one JSON object a line."""
import json
import os
import pathlib
import socket
import stat
import struct
import time

import pytest

from support import catalogue
from support.catalogue import BASE, LINES, PROJECT, SHELL
from support.client import argv
from support.files import whole_lines
from support.httpclient import dial
from support.metrics import metrics
from support.waiting import eventually

SESSION = {"time", "event", "session", "verb", "user", "groups", "source", "project", "type", "framework", "workload",
           "pod", "container"}


@pytest.fixture
def audited(serve, tmp_path):
    """audited(**keys): a client of a server that keeps a trail in `trail/audit.jsonl`."""
    folder = tmp_path / "trail"
    folder.mkdir()

    def start(**keys):
        return serve(SHELL, LINES, admin={"listen": "127.0.0.1:0"},
                     audit={"file": str(folder / "audit.jsonl"), **keys}).settle(SHELL, LINES)

    return start


def trail(tmp_path, name="audit.jsonl"):
    return [json.loads(line) for line in whole_lines(tmp_path / "trail" / name)]


def events(tmp_path, *words):
    return [line for line in trail(tmp_path) if line["event"] in words]


def ended(tmp_path, count=1):
    eventually(lambda: len(events(tmp_path, "session end")) >= count, "the end is on record")
    return events(tmp_path, "session end")[-1]


def test_an_exec_is_on_record_from_begin_to_end(audited, tmp_path):
    client = audited()
    client.run(SHELL, "sh", "-c", "echo hello; exit 3")
    end = ended(tmp_path)
    (begin,) = events(tmp_path, "session begin")
    assert set(begin) == SESSION | {"command"}
    assert begin["command"] == ["sh", "-c", "echo hello; exit 3"]
    assert (begin["verb"], begin["user"], begin["project"], begin["workload"]) == ("exec", "alice", PROJECT, "shell")
    assert begin["source"].startswith("127.0.0.1:")
    assert end["session"] == begin["session"]
    assert (end["exitCode"], end["closeCode"], end["reason"]) == (3, 1000, "exit code 3")
    assert end["sentBytes"] > len("hello\n") and end["seconds"] >= 0


def test_every_request_is_on_record_with_what_came_of_it(audited, tmp_path):
    client = audited()
    client.get(LINES.path("pods"))
    client.as_user("nonsense").get(BASE + "/status")
    client.refused(SHELL.path("exec"), {"command": argv("secret"), "pod": "no-such-pod"})
    wanted = {LINES.path("pods"): (200, "alice"), BASE + "/status": (401, None), SHELL.path("exec"): (404, "alice")}

    def found():  # in any order: an answer may be there before its record
        lines = {line["path"]: line for line in events(tmp_path, "request") if line["path"] in wanted}
        return lines.keys() == wanted.keys() and lines

    lines = eventually(found, "the requests are on record")
    assert {path: (line["status"], line.get("user")) for path, line in lines.items()} == wanted
    assert "no-such-pod" in lines[SHELL.path("exec")]["message"]
    text = (tmp_path / "trail/audit.jsonl").read_text()
    assert client.token not in text and argv("secret") not in text


@pytest.mark.parametrize("commands, kept", [("program", ["sh"]), ("none", None)])
def test_commands_are_kept_as_far_as_configured(audited, tmp_path, commands, kept):
    audited(commands=commands).run(SHELL, "sh", "-c", "exit 0 # hunter2")
    assert ended(tmp_path).get("command") == kept
    assert "hunter2" not in (tmp_path / "trail/audit.jsonl").read_text()


def test_logs_watches_and_lost_clients_are_on_record(audited, tmp_path):
    client = audited()
    client.logs(LINES)
    assert ended(tmp_path)["reason"] == "end of logs"
    client.exec(SHELL, "sleep", "1000").drop()
    assert ended(tmp_path, 2)["closeCode"] == 1006


def test_the_trail_is_its_owners_alone_and_rotated(audited, tmp_path):
    client = audited(maxSize=4096, keep=2)
    for _ in range(40):
        client.get(LINES.path("status"))
    client.get(LINES.path("pods"))
    eventually(lambda: [line for line in trail(tmp_path) if line.get("path") == LINES.path("pods")],
               "the last is on record")
    assert trail(tmp_path, "audit.jsonl.2"), "it was rotated twice"
    for name in ("audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"):
        file = tmp_path / "trail" / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.stat().st_size <= 4096
    assert not (tmp_path / "trail/audit.jsonl.3").exists()


def break_trail(client, tmp_path):
    (tmp_path / "trail").rename(tmp_path / "elsewhere")  # at one stroke: earlier records may still be on their way
    client.get(BASE + "/status")
    eventually(lambda: metrics(client)["sluice_audit_failing"] == 1, "the trail is known to be broken")


def test_a_broken_trail_is_reported_and_nothing_of_it_is_lost(audited, tmp_path):
    client = audited()
    break_trail(client, tmp_path)
    assert client.run(SHELL, "echo", "hi")[1].code == 1000
    eventually(lambda: "the audit trail can't be written" in client.server.output, "the log tells")
    (tmp_path / "trail").mkdir()
    assert ended(tmp_path)["command"] == ["echo", "hi"]
    assert metrics(client)["sluice_audit_lost_lines"] == 0


def test_sessions_are_refused_while_the_trail_is_broken_where_that_is_wanted(audited, tmp_path):
    client = audited(onFailure="refuse")
    break_trail(client, tmp_path)
    for path, query in ((SHELL.path("exec"), {"command": argv("true")}), (LINES.path("logs"), {}),
                        (SHELL.path("port-forward"), {"port": 80})):
        refusal = client.refused(path, query)
        assert refusal.status == 503 and "audit trail" in refusal.json["message"]
    assert client.get(LINES.path("logs/download")).status == 503
    assert client.get(LINES.path("status")).status == 200
    (tmp_path / "trail").mkdir()
    eventually(lambda: metrics(client)["sluice_audit_failing"] == 0, "the trail is written again")
    assert client.run(SHELL, "true")[1].code == 1000


def test_a_trail_that_nobody_reads_refuses_sessions_and_does_not_keep_the_server_from_ending(serve, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        client = serve(SHELL, admin={"listen": "127.0.0.1:0"}, audit={"file": str(fifo), "onFailure": "refuse"})
        client.settle(SHELL)
        for _ in range(400):
            client.get(SHELL.path("status"))  # their records are more than a pipe holds
        eventually(lambda: metrics(client)["sluice_audit_failing"] == 1, "that it hangs is known after 5 s", timeout=30)
        refusal = client.refused(SHELL.path("exec"), {"command": argv("true")})
        assert refusal.status == 503 and "audit trail" in refusal.json["message"]
        assert client.server.stop(timeout=60) == 0
    finally:
        os.close(reader)


@pytest.mark.local
def test_no_command_runs_without_a_record_and_a_recording_when_its_client_is_gone_at_once(serve, tmp_path):
    (tmp_path / "trail").mkdir()
    everything = {"folder": str(tmp_path / "casts"), "onFailure": "refuse",
                  "rules": [{"subjects": ["*"], "projects": ["*"], "verbs": ["*"]}]}
    client = serve(SHELL, recording=everything, sessions={"upgradeRate": 1000, "upgradeBurst": 1000,
                                                          "upgradeRatePerUser": 1000, "upgradeBurstPerUser": 1000},
                   audit={"file": str(tmp_path / "trail/audit.jsonl"), "onFailure": "refuse"}).settle(SHELL)
    ran = tmp_path / "ran"
    ran.mkdir()
    for number in range(40):
        target = SHELL.path("exec") + f"?onDisconnect=leave&command={argv('touch', str(ran / str(number)))}"
        sock = dial(client.server.address)
        sock.sendall(handshake(client, target))
        time.sleep(0.0005 * (number % 8))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    client.run(SHELL, "touch", str(ran / "last"))

    def begun():
        return {pathlib.Path(line["command"][1]).name: line for line in events(tmp_path, "session begin")}

    eventually(lambda: {file.name for file in ran.iterdir()} <= set(begun()), "what ran is on record")
    eventually(lambda: {line["recording"] for line in events(tmp_path, "session end")}
               == {line["recording"] for line in begun().values()}
               == {file.name for file in (tmp_path / "casts").iterdir()}, "all have ended, and are recorded")


def handshake(client, target):
    return (f"GET {target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {client.token}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ).encode()


def test_who_has_no_token_can_not_fill_the_trail(audited, tmp_path):
    client = audited()
    stranger = client.as_user(None)
    for _ in range(1300):
        assert stranger.get(BASE + "/x" + 20_000 * "a").status == 404
    client.get(BASE + "/status")

    def recorded():
        return [line for line in trail(tmp_path) if line.get("path", "").startswith(BASE + "/xaaa")]

    def counted():
        return sum(line["count"] for line in events(tmp_path, "requests unrecorded"))

    eventually(lambda: len(recorded()) + counted() == 1300, "the rest is counted")
    assert metrics(client)["sluice_audit_unrecorded_requests_total"] == counted()
    assert 1000 <= len(recorded()) < 1200
    assert all(len(line["path"]) < 600 and "cut: 20" in line["path"] for line in recorded())
    eventually(lambda: [line for line in events(tmp_path, "request") if line.get("user") == "alice"
                        and line["path"] == BASE + "/status"], "who has a token is on record all the same")


def test_what_is_no_request_is_on_record(audited, tmp_path):
    client = audited()
    with dial(client.server.address) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
    found = eventually(lambda: [line for line in trail(tmp_path) if line.get("status") == 400], "it is on record")
    assert "path" not in found[0] and found[0]["source"].startswith("127.0.0.1:")


def test_a_download_is_on_record_with_its_container(audited, tmp_path):
    client = audited()
    client.get(LINES.path("logs/download"))
    found = eventually(lambda: [line for line in trail(tmp_path) if line.get("endpoint", "").endswith("download")],
                       "it is on record")
    assert found[0]["container"] == "main" and found[0]["pod"]


def test_a_trail_that_can_not_be_opened_keeps_the_server_from_starting(serve, tmp_path):
    with pytest.raises(AssertionError, match="nowhere"):
        serve(catalogue.LINES, audit={"file": str(tmp_path / "nowhere/audit.jsonl")})


def test_a_full_disk_is_named(serve):
    client = serve(LINES, audit={"file": "/dev/full"})
    client.get(BASE + "/status")
    eventually(lambda: "No space left on device" in client.server.output, "the log names it")
