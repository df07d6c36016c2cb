"""What sluice makes of servers that answer otherwise than ours: less, nonsense, or another user's escape sequences."""
import json

import pytest

from support.cli import Cli
from support.fixed_server import FixedServer

pytestmark = pytest.mark.local  # what they look at is the program, whatever runs the workloads

HOSTILE = "\x1b[31mred\nFAKE  training  Running\x9b2J"
WORKLOAD = {"name": "x" + HOSTILE, "type": "training", "framework": "runai", "phase": HOSTILE, "message": HOSTILE,
            "pods": {"running": 1, "total": 1}, "createdAt": "2026-01-02T03:04:05Z"}
POD = {"name": HOSTILE, "phase": HOSTILE, "ready": True, "restarts": 0, "node": HOSTILE,
       "containers": [{"name": HOSTILE, "state": HOSTILE, "reason": HOSTILE}]}


@pytest.fixture
def answering(tmp_path):
    """The program, and a server that has these answers."""
    servers = []

    def make(**answers):
        servers.append(FixedServer({"/" + end: answer for end, answer in answers.items()}))
        cli = Cli.without_server(tmp_path)
        cli.environment |= {"SLUICE_SERVER": servers[-1].url, "SLUICE_PROJECT": "p", "SLUICE_TOKEN": "t"}
        return cli

    yield make
    for server in servers:
        server.close()


# --- text of others ---


def is_harmless(text):
    return all(character == "\n" or character.isprintable() for character in text.decode())


def test_tables_have_no_control_characters_and_a_line_for_each_row(answering):
    cli = answering(workloads=(200, {"workloads": [WORKLOAD]}))
    shown = cli.run("list").stdout
    assert is_harmless(shown) and shown.count(b"\n") == 2
    assert rb"x\x1b[31mred\nFAKE" in shown


def test_descriptions_and_status_have_no_control_characters(answering):
    cli = answering(status=(200, {**WORKLOAD, "status": HOSTILE, "features": {HOSTILE: {"state": HOSTILE}}}),
                    pods=(200, {"pods": [POD]}))
    for arguments in (("training", "describe", "x"), ("status",)):
        shown = cli.run(*arguments).stdout
        assert is_harmless(shown) and b"\nFAKE" not in shown, arguments


def test_errors_have_no_control_characters(answering):
    said = answering(status=(500, {"message": HOSTILE, "details": HOSTILE})).run("status").stderr
    assert is_harmless(said) and rb"\x1b[31m" in said


def test_json_is_what_the_server_said(answering):
    cli = answering(workloads=(200, {"workloads": [WORKLOAD]}))
    shown = cli.run("list", "-o", "json").stdout
    assert b"\x1b" not in shown
    assert json.loads(shown) == {"workloads": [WORKLOAD]}


# --- servers with nothing but what the contract requires ---


def test_a_server_without_a_list_is_told_of(answering):
    for arguments in (("list",), ("list", "-w"), ("training", "list", "-o", "json")):
        done = answering().run(*arguments)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr == b"sluice: this server can't list workloads\n"


@pytest.mark.parametrize("follow", [(), ("-f",)])
def test_a_server_without_pods_is_told_of(answering, follow):
    done = answering().run("training", "logs", "x", "--all-pods", *follow)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"this server can't list a workload's pods" in done.stderr


def test_status_leaves_out_what_the_server_does_not_say(answering):
    assert answering(status=(200, {"status": "OK"})).run("status").stdout == b"OK\n"
    known = {"status": "OK", "version": "1.2", "backend": {"kind": "local"}}
    assert answering(status=(200, known)).run("status").stdout == b"OK: local, sluiced 1.2\n"


def test_description_without_pods_has_no_table(answering):
    shown = answering(status=(200, {"name": "x", "phase": "Running"})).run("training", "describe", "x").stdout
    assert shown == b"name:       x\nphase:      Running\n"


def test_port_forward_needs_no_more_than_the_contract(answering):
    process = answering(status=(200, {"name": "x", "phase": "Running"})).start(
        "training", "port-forward", "x", "--port", ":80")
    assert process.stdout.readline().endswith(b" -> 80\n")
    process.terminate()
    process.communicate()


# --- nonsense and refusals ---


@pytest.mark.parametrize("body", [{}, {"workloads": "x"}, {"items": []}, []])
def test_what_is_no_list_is_no_empty_list(answering, body):
    done = answering(workloads=(200, body)).run("list")
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.parametrize("status", [409, 429, 503])
def test_refusal_of_a_server_that_answered_is_no_lost_connection(answering, status):
    answer = (status, {"message": "not now"})
    done = answering(exec=answer, logs=answer, workloads=answer).run("training", "exec", "x", "--", "true")
    assert (done.returncode, done.stderr) == (1, b"sluice: not now\n")
