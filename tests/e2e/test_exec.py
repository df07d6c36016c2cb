"""Contract §6: exec."""
import base64
import contextlib
import hashlib
import json
import os
import signal

import pytest

from support import channels
from support.catalogue import DUO, MIB, PAIR, SHELL
from support.channels import V4, V5
from support.client import argv
from support.processes import with_argument
from support.rawws import PING, Closed
from support.waiting import eventually

DONE = Closed(1000, "exit code 0")
EXEC = SHELL.path("exec")


def bad_request(client, query, headers=None):
    answer = client.refused(EXEC, query, headers)
    assert answer.status == 400, answer
    return answer.message


# --- command ---


@pytest.mark.parametrize("encode", [
    base64.b64encode, base64.urlsafe_b64encode, lambda data: base64.b64encode(data).rstrip(b"="),
    lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")],
    ids=["standard", "url", "standard unpadded", "url unpadded"])
@pytest.mark.parametrize("where", ["query", "header"])
def test_command_is_base64_of_a_json_array_in_query_or_header(client, encode, where):
    words = ["printf", "%s|", "a b", "", "grüße ~?>", "\"\\"]
    value = encode(json.dumps(words, ensure_ascii=False).encode()).decode()
    query, headers = ({"command": value}, None) if where == "query" else ({}, {"Command": value})
    with client.open(EXEC, query, headers) as session:
        messages, closed = session.read_all()
    assert b"".join(messages).decode() == "a b||grüße ~?>|\"\\|"
    assert closed == DONE


def test_raw_plus_in_command_means_plus(client):
    words = ["printf", "%s", "~~~>>>???"]
    value = argv(*words)
    assert "+" in value or "/" in value
    with client.open(EXEC, f"command={value}") as session:
        assert session.read_until(b"???") == b"~~~>>>???"


def test_command_of_the_document_is_accepted(client):
    """WyIvYmluL2Jhc2giXQ%3D%3D is ["/bin/bash"]."""
    with client.open(EXEC, "stdin=true&command=WyIvYmluL2Jhc2giXQ%3D%3D") as session:
        session.send(b"echo $((6*7)); exit 5\n")
        messages, closed = session.read_all()
    assert (b"".join(messages), closed) == (b"42\n", Closed(1000, "exit code 5"))


def test_command_in_query_and_header_may_agree(client):
    value = argv("echo", "both")
    with client.open(EXEC, {"command": value}, {"Command": value}) as session:
        assert session.read_until(b"\n") == b"both\n"


def test_command_in_query_and_header_that_differ_is_400(client):
    assert "command" in bad_request(client, {"command": argv("a")}, {"Command": argv("b")}).lower()


def test_each_broken_command_is_400_with_its_own_message(client):
    broken = {
        "missing": {}, "not base64": {"command": "%%%"},
        "not json": {"command": base64.b64encode(b"nonsense").decode()},
        "not an array": {"command": base64.b64encode(b'{"a":1}').decode()},
        "not strings": {"command": base64.b64encode(b'["a", 1]').decode()},
        "empty": {"command": argv()}}
    messages = {name: bad_request(client, query) for name, query in broken.items()}
    assert len({messages[name] for name in ("missing", "not base64", "not json", "not strings",
                                            "empty")}) == 5, messages


@pytest.mark.parametrize("value", ["", "WyIvYmlu\n", "W yJhIl0="])
def test_command_value_that_is_no_base64_is_400(client, value):
    bad_request(client, {"command": value})


def test_bad_command_header_is_400(client):
    bad_request(client, {}, {"Command": "%%%"})


# --- streams ---


def test_streams_default_to_output_only(client):
    output, closed = client.run(SHELL, "sh", "-c", "echo out; echo err >&2; cat; echo done")
    assert sorted(output.split()) == [b"done", b"err", b"out"]
    assert closed == DONE


def test_raw_framing_gives_stdout_and_stderr_as_they_come(client):
    # On the way through a cluster they are streams of their own, which one may be faster on.
    script = "echo 1; read line; echo 2 >&2; read line; echo 3"
    with client.exec(SHELL, "sh", "-c", script, stdin="true") as session:
        for number in (b"1\n", b"2\n"):
            assert session.read_until(b"\n") == number
            session.send(b"\n")
        messages, closed = session.read_all()
    assert (b"".join(messages), closed) == (b"3\n", DONE)


@pytest.mark.parametrize("query, output", [
    ({"stderr": "false"}, b"out\n"), ({"stdout": "false"}, b"err\n"),
    ({"stdout": "false", "stderr": "false", "stdin": "true"}, b"")])
def test_a_stream_that_is_off_is_not_sent(client, query, output):
    script = "echo out; sleep 0.1; echo err >&2"
    assert client.run(SHELL, "sh", "-c", script, **query) == (output, DONE)


def test_all_three_streams_off_is_400(client):
    bad_request(client, {"command": argv("true"), "stdout": "false", "stderr": "false"})


@pytest.mark.parametrize("field", ["stdin", "stdout", "stderr", "tty"])
@pytest.mark.parametrize("value", ["", "yes", "2"])
def test_bad_boolean_is_400(client, field, value):
    assert field in bad_request(client, {"command": argv("true"), field: value})


@pytest.mark.parametrize("field", ["stdin", "tty", "pod", "command"])
def test_single_valued_field_given_twice_is_400(client, field):
    value = argv("true") if field == "command" else "true"
    query = [("command", argv("true")), (field, value)] + ([(field, value)]
                                                           if field != "command" else [])
    assert field in bad_request(client, query)


def test_client_messages_are_stdin_bytes(client):
    with client.exec(SHELL, "cat", stdin="true") as session:
        session.send(b"\x00\xff binary ")
        session.send(b"and text\n", opcode=1)
        assert session.read_until(b"\n") == b"\x00\xff binary and text\n"


def test_client_messages_without_stdin_are_ignored(client):
    with client.exec(SHELL, "sh", "-c", "sleep 0.3; cat; echo end") as session:
        session.send(b"not wanted\n")
        messages, closed = session.read_all()
    assert (b"".join(messages), closed) == (b"end\n", DONE)


def test_stdin_eof_empty_an_empty_binary_message_ends_stdin(client):
    with client.exec(SHELL, "wc", "-c", stdin="true", stdinEof="empty") as session:
        session.send(b"12345")
        session.send(b"")
        messages, closed = session.read_all()
    assert (b"".join(messages).strip(), closed) == (b"5", DONE)


def test_empty_messages_are_nothing_without_stdin_eof(client):
    with client.exec(SHELL, "cat", stdin="true") as session:
        session.send(b"")
        session.send(b"still open\n")
        assert session.read_until(b"\n") == b"still open\n"


def test_binary_k8s_io_is_raw(client):
    with client.exec(SHELL, "echo", "hi", subprotocols=["binary.k8s.io"]) as session:
        assert session.subprotocol == "binary.k8s.io"
        assert session.read_all() == ([b"hi\n"], DONE)


# --- results ---


@pytest.mark.parametrize("code", [0, 1, 3, 126, 127, 255])
def test_exit_code_is_a_result_1000_with_a_reason(client, code):
    assert client.run(SHELL, "sh", "-c", f"exit {code}")[1] == Closed(1000, f"exit code {code}")


@pytest.mark.parametrize("number", [9, 15])
def test_signal_is_1000_killed_by_signal(client, number):
    closed = client.run(SHELL, "sh", "-c", f"kill -{number} $$")[1]
    assert closed == Closed(1000, f"killed by signal {number}")


def test_all_output_arrives_before_the_close(client):
    for _ in range(5):
        output, closed = client.run(SHELL, "sh", "-c", f"head -c {2 * MIB} /dev/zero; echo end")
        assert len(output) == 2 * MIB + 4
        assert output.endswith(b"end\n")
        assert closed == DONE


@pytest.mark.local  # container runtimes wait for the descendant
def test_descendant_that_keeps_stdout_open_holds_the_close_for_at_most_2_s(client):
    # How long exactly, src/backend/local/local_exec_test.cc looks at with a clock of its own.
    with client.exec(SHELL, "sh", "-c", "echo begun; sleep 30.125 & exit 4") as session:
        session.read_until(b"begun\n")
        assert session.read_close() == Closed(1000, "exit code 4")


@pytest.mark.local
@pytest.mark.parametrize("command", ["/nowhere/program", "no-such-program", "/etc/passwd", "/tmp"])
def test_command_that_cannot_be_started_is_400_naming_it(client, command):
    assert command in bad_request(client, {"command": argv(command)})


def test_large_stdin_comes_back_whole(client):
    data = os.urandom(MIB) * 8
    with client.exec(SHELL, "sha256sum", stdin="true", stdinEof="empty") as session:
        for offset in range(0, len(data), 100_000):
            session.send(data[offset:offset + 100_000])
        session.send(b"")
        messages, closed = session.read_all()
    assert b"".join(messages).split()[0].decode() == hashlib.sha256(data).hexdigest()
    assert closed == DONE


@pytest.mark.local  # an API server loses the end of such a process now and then
def test_process_that_ends_without_reading_its_stdin(client):
    with client.exec(SHELL, "true", stdin="true") as session:
        try:
            session.send(b"x" * 4 * MIB)
        except OSError:
            pass  # the server may have gone already
        assert session.read_close() == DONE


# --- tty ---


def test_tty_merges_stderr_and_raw_size_comes_from_the_query(client):
    # A cluster sets the size when the command has begun already.
    script = ("until test \"$(stty size 2>/dev/null)\"; do sleep 0.05; done; stty size; "
              "echo err >&2; tty >/dev/null || echo no terminal")
    output, closed = client.run(SHELL, "sh", "-c", script, stdin="true", tty="true", columns=133,
                                rows=44)
    assert output == b"44 133\r\nerr\r\n"
    assert closed == DONE


def test_tty_is_a_real_terminal_with_line_editing_and_signals(client):
    with client.exec(SHELL, "sh", "-c", "trap 'echo caught; exit 7' INT; echo go; while :; do "
                     "sleep 0.05; done", stdin="true", tty="true") as session:
        session.read_until(b"go\r\n")
        session.send(b"\x03")
        messages, closed = session.read_all()
    assert b"caught" in b"".join(messages)
    assert closed == Closed(1000, "exit code 7")


def test_tty_end_of_input_by_control_d(client):
    with client.exec(SHELL, "cat", stdin="true", tty="true") as session:
        session.send(b"x\n\x04")
        messages, closed = session.read_all()
    assert b"".join(messages) == b"x\r\nx\r\n"
    assert closed == DONE


@pytest.mark.parametrize("field", ["columns", "rows"])
@pytest.mark.parametrize("value", ["-1", "x", "", "65536"])
def test_bad_size_is_400(client, field, value):
    assert field in bad_request(client, {"command": argv("true"), "tty": "true", field: value})


# --- channels ---


@pytest.fixture(params=[V5, V4])
def protocol(request):
    return request.param


def test_channels_keep_stdout_and_stderr_apart_and_report_the_exit_code(client, protocol):
    script = "echo out; echo err >&2; exit 3"
    with client.exec(SHELL, "sh", "-c", script, subprotocols=[protocol]) as session:
        assert session.subprotocol == protocol
        found, closed = channels.collect(session)
    assert (found[channels.STDOUT], found[channels.STDERR]) == (b"out\n", b"err\n")
    assert channels.exit_code(found) == 3
    assert closed == Closed(1000, "exit code 3")


def test_channel_3_is_success_for_exit_code_0(client, protocol):
    with client.exec(SHELL, "true", subprotocols=[protocol]) as session:
        found, closed = channels.collect(session)
    assert json.loads(found[channels.STATUS])["status"] == "Success"
    assert closed == DONE


def test_channel_3_gives_128_plus_n_for_a_signal(client, protocol):
    with client.exec(SHELL, "sh", "-c", "kill -9 $$", subprotocols=[protocol]) as session:
        found, closed = channels.collect(session)
    assert channels.exit_code(found) == 137
    assert closed == Closed(1000, "killed by signal 9")


def test_channel_0_is_stdin(client, protocol):
    with client.exec(SHELL, "head", "-n1", stdin="true", subprotocols=[protocol]) as session:
        channels.send(session, channels.STDIN, b"to ")
        channels.send(session, channels.STDIN)
        channels.send(session, channels.STDIN, b"head\n")
        found, _ = channels.collect(session)
    assert found[channels.STDOUT] == b"to head\n"


def test_channel_4_resizes(client, protocol):
    script = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done"
    with client.exec(SHELL, "sh", "-c", script, stdin="true", tty="true",
                     subprotocols=[protocol]) as session:
        session.read_until(b"\r\n")
        channels.resize(session, 120, 40)
        found, closed = channels.collect(session)
    assert b"40 120\r\n" in found[channels.STDOUT]
    assert channels.STDERR not in found
    assert closed == DONE


def test_v5_half_close_of_stdin_and_the_output_still_comes(client):
    with client.exec(SHELL, "sort", stdin="true", subprotocols=[V5]) as session:
        channels.send(session, channels.STDIN, b"b\na\n")
        channels.send(session, channels.CLOSE, bytes([channels.STDIN]))
        found, closed = channels.collect(session)
    assert found[channels.STDOUT] == b"a\nb\n"
    assert channels.exit_code(found) == 0
    assert closed == DONE


def test_v5_20_mb_through_cat_is_complete(client):
    block = os.urandom(32_000)
    with client.exec(SHELL, "sha256sum", stdin="true", subprotocols=[V5]) as session:
        for _ in range(625):
            channels.send(session, channels.STDIN, block)
        channels.send(session, channels.CLOSE, bytes([channels.STDIN]))
        found, _ = channels.collect(session)
    assert found[channels.STDOUT].split()[0].decode() == hashlib.sha256(block * 625).hexdigest()


@pytest.mark.parametrize("message", [bytes([1]) + b"x", bytes([7]) + b"x", b"", bytes([4]) + b"{"])
def test_odd_channel_messages_do_not_end_the_session_abnormally(client, message):
    """Whatever the answer is, it is an orderly one: the session goes on, or ends with a Close."""
    with client.exec(SHELL, "cat", stdin="true", subprotocols=[V5]) as session:
        session.send(message)
        channels.send(session, channels.STDIN, b"on\n")
        channels.send(session, channels.CLOSE, bytes([channels.STDIN]))
        assert session.read_close().code in (1000, 1002, 1003, 1007, 1008)


# --- where it runs ---


@pytest.mark.local
def test_exec_has_the_containers_environment_and_working_directory(client):
    output, _ = client.run(SHELL, "sh", "-c", "echo $KEY $SLUICE_PROJECT $SLUICE_WORKLOAD "
                           "$SLUICE_POD $SLUICE_CONTAINER $SLUICE_REPLICA_INDEX; pwd")
    assert output == b"value e2e shell shell-0-0 main 0\n/tmp\n"


def test_exec_in_a_named_pod_and_container(client, platform):
    pod = platform.pod(PAIR, 1)
    output, _ = client.run(PAIR, "sh", "-c", "echo $SLUICE_POD $SLUICE_CONTAINER", pod=pod,
                           container="sidecar")
    assert output == f"{pod} sidecar\n".encode()


def test_exec_container_defaults(client):
    show = ("sh", "-c", "echo $SLUICE_CONTAINER")
    assert client.run(PAIR, *show)[0] == b"pair\n"
    assert client.run(DUO, *show)[0] == b"alpha\n"
    assert client.run(DUO, *show, container="beta")[0] == b"beta\n"


# --- disconnect ---


@pytest.mark.local
def test_disconnect_sends_sighup(client, tmp_path):
    mark = tmp_path / "hung-up"
    # The shell would report its sleep's end to a stderr that nobody reads any more.
    script = (f"trap 'echo > {mark}; exit' HUP; echo go; exec >/dev/null 2>&1; "
              "while :; do sleep 0.05; done")
    with client.exec(SHELL, "sh", "-c", script) as session:
        session.read_until(b"go\n")
        session.close()
    eventually(mark.exists, "SIGHUP arrives")
    eventually(lambda: not with_argument(str(mark)), "the process ends")


@pytest.mark.local
@pytest.mark.parametrize("how", ["close", "drop"])
def test_after_the_disconnect_writing_to_nobody_does_not_stop_the_clean_up(client, tmp_path, how):
    mark = tmp_path / "cleaned-up"
    # The shell itself reports the end of its sleep, too.
    script = (f"trap 'head -c 200000 /dev/zero; echo bye >&2; echo > {mark}; exit' HUP; echo go; "
              "while :; do sleep 0.05; done")
    with client.exec(SHELL, "sh", "-c", script) as session:
        session.read_until(b"go\n")
        getattr(session, how)()
    eventually(mark.exists, "the clean-up is done")
    eventually(lambda: not with_argument(str(mark)), "the process ends")


@pytest.mark.local
@pytest.mark.parametrize("how", ["close", "drop"])
def test_disconnect_kills_after_5_s_what_ignores_sighup(client, tmp_path, how):
    script = "trap '' HUP; echo go; while :; do sleep 0.05; done"
    with client.exec(SHELL, "sh", "-c", script, str(tmp_path)) as session:
        session.read_until(b"go\n")
        getattr(session, how)()
    assert with_argument(str(tmp_path))
    eventually(lambda: not with_argument(str(tmp_path)), "SIGKILL after 5 s")


@pytest.mark.local
def test_on_disconnect_leave_lets_it_run(client, tmp_path):
    script = f"echo go; sleep 1; echo > {tmp_path}/survived; sleep 60"
    with client.exec(SHELL, "sh", "-c", script, onDisconnect="leave") as session:
        session.read_until(b"go\n")
        session.drop()
    eventually((tmp_path / "survived").exists, "the process goes on")
    for pid in with_argument(str(tmp_path)):
        with contextlib.suppress(ProcessLookupError):  # it may have become its `sleep`, or ended
            os.kill(pid, signal.SIGKILL)


def test_bad_on_disconnect_or_stdin_eof_is_400(client):
    bad_request(client, {"command": argv("true"), "onDisconnect": "maybe"})
    bad_request(client, {"command": argv("true"), "stdinEof": "maybe"})


def test_many_execs_at_once_keep_apart(client):
    sessions = [client.exec(SHELL, "sh", "-c", f"echo {number}; cat", stdin="true")
                for number in range(50)]
    for number, session in enumerate(sessions):
        session.read_until(b"\n")
        session.send(b"%d again\n" % number)
    for number, session in enumerate(sessions):
        assert session.read_until(b"\n") == b"%d again\n" % number
        session.close()
        session.read_close()


def test_exec_answers_pings_while_the_process_is_silent(client):
    with client.exec(SHELL, "sleep", "60") as session:
        session.send(b"there?", PING)
        assert session.frame().payload == b"there?"
