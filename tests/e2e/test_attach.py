"""Contract §6: attach."""
import pytest

from support import channels
from support.catalogue import CAT, LINES, SHELL, TERMINAL, TICKER, Workload, shell
from support.channels import V4, V5
from support.rawws import Closed, Refused
from support.waiting import eventually


def attach(client, workload, subprotocols=(), **query):
    return client.open(workload.path("attach"), query, subprotocols=subprotocols)


def hold(client, workload=CAT, subprotocols=(), **query):
    """Attaches with stdin, as soon as no earlier session holds it any more."""
    def free():
        try:
            return attach(client, workload, subprotocols, stdin="true", **query)
        except Refused as refusal:
            assert refusal.response.status == 503
            return None
    return eventually(free, "stdin is free")


def test_attach_joins_the_main_process_and_stdin_reaches_it(client):
    with hold(client) as session:
        session.send(b"hello main\n")
        assert session.read_until(b"\n") == b"hello main\n"


def test_attach_gives_no_history(client):
    with attach(client, TICKER) as session:
        first = session.read_until(b"\n")
        assert first != b"tick 1\n"
        assert session.read_until(b"\n").startswith(b"tick ")


def test_several_may_watch_the_output_at_once(client):
    with attach(client, TICKER) as one, attach(client, TICKER) as two:
        assert one.read_until(b"tick ") and two.read_until(b"tick ")


def test_stdin_held_by_another_session_is_503_naming_exec_as_the_way_out(client):
    with hold(client):
        answer = client.refused(CAT.path("attach"), "stdin=true")
        assert answer.status == 503
        assert "exec" in answer.message
        assert answer.headers["retry-after"].isdigit()
        with attach(client, CAT):
            pass  # without stdin it may join


def test_stdin_of_a_container_without_one_is_503_naming_exec(client):
    answer = client.refused(LINES.path("attach"), "stdin=true")
    assert answer.status == 503
    assert "exec" in answer.message


@pytest.mark.parametrize("how", ["close", "drop"])
def test_ending_an_attach_never_kills_the_target_and_frees_its_stdin(client, how):
    for _ in range(2):
        session = hold(client)
        session.send(b"once more\n")
        session.read_until(b"once more\n")
        getattr(session, how)()
    assert client.phase(CAT) == "Running"


def test_stdin_eof_of_an_attach_never_ends_the_target(client):
    with hold(client, TERMINAL, stdinEof="empty") as session:
        session.send(b"echo first$((1))\n")
        session.read_until(b"first1")
        session.send(b"")
        session.close()
    assert client.phase(TERMINAL) == "Running"


@pytest.mark.parametrize("protocol", [V5, V4])
def test_attach_with_channels(client, protocol):
    with attach(client, TICKER, [protocol]) as session:
        assert session.subprotocol == protocol
        seen = [message for message in (session.message() for _ in range(4)) if len(message) > 1]
    assert all(message[0] == channels.STDOUT for message in seen)


def test_attach_to_a_terminal_echoes_and_resizes(client):
    with hold(client, TERMINAL, [V5], tty="true") as session:
        channels.resize(session, 121, 41)
        channels.send(session, channels.STDIN, b"stty size; echo to-err >&2; echo $((40+2))\n")
        seen = b""
        while b"\r\n42\r\n" not in seen:
            message = session.message()
            assert message[:1] in (b"\x01", b""), message
            seen += message[1:]
    assert b"41 121\r\n" in seen
    assert b"to-err\r\n" in seen


@pytest.mark.parametrize("query", [
    {"stdout": "false", "stderr": "false"}, {"stdin": "perhaps"}, {"tty": ""},
    [("stdin", "false"), ("stdin", "false")]])
def test_bad_query_is_400(client, query):
    assert client.refused(CAT.path("attach"), query).status == 400


def test_stdin_defaults_to_false(client):
    with attach(client, CAT) as session:
        session.send(b"nobody listens\n")
        with hold(client) as other:
            def heard():
                """What the former hears, once it has really joined: a cluster says so a moment early."""
                other.send(b"the other speaks\n")
                try:
                    return session.message(timeout=1)
                except TimeoutError:
                    return None
            # It may hear several at once.
            assert eventually(heard, "the output of the other comes").startswith(b"the other speaks\n")


@pytest.mark.local
def test_container_ended_is_1000_with_its_exit_code(serve):
    script = "read line; echo got $line; exit 6"
    shortly = Workload("shortly", (shell(script, stdin=True),))
    with hold(serve(shortly).settle(shortly), shortly) as session:
        session.send(b"it\n")
        messages, closed = session.read_all()
    assert b"".join(messages) == b"got it\n"
    assert closed.code == 1000
    assert closed.reason in ("exit code 6", "container ended")


def test_exec_goes_beside_an_attach(client):
    with attach(client, SHELL):
        assert client.run(SHELL, "echo", "beside") == (b"beside\n", Closed(1000, "exit code 0"))
