"""Session recording: what exec and attach carry, as asciicast files, by rules; and what plays them."""
import json
import pathlib
import re
import signal
import stat
import subprocess
import sys
import time

import pytest

from support import channels
from support.catalogue import CAT, LINES, PROJECT, SHELL, TERMINAL
from support.channels import V5
from support.cli import Cli
from support.client import argv
from support.files import whole_lines
from support.metrics import metrics
from support.recordings import EVERYTHING, read
from support.terminal import Terminal
from support.waiting import eventually

pytestmark = pytest.mark.local  # sessions are recorded alike whatever runs the workloads


@pytest.fixture
def recorded(serve, tmp_path):
    """recorded(*more, **keys): a client of a server that records all sessions into `casts`, with a lag that no
    busy machine comes to."""

    def start(*more, rules=None, **keys):
        recording = {"folder": str(tmp_path / "casts"), "rules": rules or EVERYTHING, "maxLag": "30s", **keys}
        return serve(SHELL, CAT, LINES, *more, recording=recording,
                     audit={"file": str(tmp_path / "audit.jsonl")}).settle(SHELL, CAT, *more)

    return start


def files(tmp_path):
    return sorted((tmp_path / "casts").glob("*.cast"))


def text(events, code="o"):
    return "".join(event[2] for event in events if event[1] == code)


def finished(tmp_path, count=1):
    """The recordings, once so many sessions have ended and are on record."""
    def ends():
        lines = map(json.loads, whole_lines(tmp_path / "audit.jsonl"))
        found = [line for line in lines if line["event"] == "session end"]
        return len(found) >= count and found

    return eventually(ends, "the ends are on record")


@pytest.fixture(scope="session")
def bad_disk_library(tmp_path_factory):
    library = tmp_path_factory.mktemp("bad_disk") / "bad_disk.so"
    source = pathlib.Path(__file__).parent / "support/bad_disk.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    return library


@pytest.fixture
def disk(bad_disk_library, tmp_path, monkeypatch):
    """disk("slow"), disk("full"), disk("well"): how the disk of recordings does from now on."""
    state = tmp_path / "disk"
    monkeypatch.setenv("LD_PRELOAD", str(bad_disk_library))
    monkeypatch.setenv("BAD_DISK", str(state))
    yield state.write_text
    state.write_text("well")


def test_an_exec_at_a_terminal_is_recorded_with_its_sizes(recorded, tmp_path):
    client = recorded()
    script = "stty size; echo ready; read line; stty size; printf '\\033[1mhé\\033[0m\\n'; exit 3"
    with client.exec(SHELL, "sh", "-c", script, subprotocols=[V5], tty=1, stdin=1, columns=90, rows=20) as session:
        before = b""
        while b"ready" not in before:
            before += session.message()[1:]
        channels.resize(session, 120, 40)
        channels.send(session, channels.STDIN, b"secret\n")
        found, closed = channels.collect(session)
    (end,) = finished(tmp_path)
    (file,) = files(tmp_path)
    header, events = read(file)
    assert (header["version"], header["width"], header["height"], header["env"]) == (2, 90, 20, {})
    assert header["command"] == "sh -c " + script
    assert header["title"].startswith(f"exec by alice: {PROJECT}/shell, pod ")
    assert text(events).encode() == before + found[channels.STDOUT]
    assert "hé" in text(events) and text(events, "r") == "120x40"
    assert text(events, "i") == ""
    times = [event[0] for event in events]
    assert times == sorted(times)
    assert events[-1][1:] == ["m", "session ended: 1000 exit code 3"]
    assert end["recording"] == file.name and "recordingProblem" not in end
    assert end["session"] in file.name


def test_a_client_that_closes_without_words_ends_its_recording_by_the_code(recorded, tmp_path):
    with recorded().exec(SHELL, "cat", stdin=1) as session:
        session.close()
        session.read_close()
    finished(tmp_path)
    _, events = read(files(tmp_path)[0])
    assert events[-1][1:] == ["m", "session ended: 1000"]


def test_files_are_their_owners_alone_and_named_by_date_and_session(recorded, tmp_path):
    recorded().run(SHELL, "echo", "../../evil")
    finished(tmp_path)
    (file,) = files(tmp_path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}Z-[0-9a-f]{16}\.cast", file.name)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("keys, typed", [({}, ""), ({"input": True}, "one\ntwo\n")])
def test_input_is_recorded_only_where_that_is_wanted(recorded, tmp_path, keys, typed):
    client = recorded(**keys)
    with client.exec(SHELL, "cat", stdin=1, stdinEof="empty") as session:
        for words in (b"one\n", b"two\n", b""):
            session.send(words)
        session.read_all()
    finished(tmp_path)
    _, events = read(files(tmp_path)[0])
    assert (text(events, "i"), text(events)) == (typed, "one\ntwo\n")


def test_an_attach_is_recorded(recorded, tmp_path):
    client = recorded()
    with client.open(CAT.path("attach"), {"stdin": 1}) as session:
        session.send(b"over there\n")
        assert session.message() == b"over there\n"
    (end,) = finished(tmp_path)
    header, events = read(files(tmp_path)[0])
    assert end["verb"] == "attach" and end["recording"] == files(tmp_path)[0].name
    assert "command" not in header and text(events) == "over there\n"


@pytest.mark.parametrize("workload, query, shown, sizes", [
    (TERMINAL, {}, b"45 123\r\n", "123x45"), (CAT, {"tty": 1}, b"stty size\n", "")])
def test_the_sizes_of_an_attach_are_those_of_what_terminal_there_is(
        recorded, tmp_path, workload, query, shown, sizes):
    client = recorded(TERMINAL)
    with client.open(workload.path("attach"), {"stdin": 1, **query}, subprotocols=[V5]) as session:
        channels.resize(session, 123, 45)
        channels.send(session, channels.STDIN, b"stty size\n")
        seen = b""
        while shown not in seen:
            seen += session.message()[1:]
    finished(tmp_path)
    _, events = read(files(tmp_path)[0])
    assert text(events, "r") == sizes and text(events).startswith(seen.decode())


def test_both_outputs_are_recorded_and_bytes_that_are_no_text_do_no_harm(recorded, tmp_path):
    client = recorded()
    with client.exec(SHELL, "sh", "-c", r"printf 'a\377b'; printf 'err' >&2", subprotocols=[V5]) as session:
        channels.collect(session)
    finished(tmp_path)
    shown = text(read(files(tmp_path)[0])[1])
    assert "a\ufffdb" in shown and "err" in shown


@pytest.mark.parametrize("rule, wanted", [
    ({"verbs": ["exec"]}, 1), ({"verbs": ["attach"]}, 0), ({"subjects": ["user:bob"]}, 0),
    ({"subjects": ["user:alice"]}, 1), ({"projects": ["other"]}, 0), ({"projects": [PROJECT]}, 1)])
def test_rules_say_which_sessions_are_recorded(recorded, tmp_path, rule, wanted):
    client = recorded(rules=[{"subjects": ["*"], "projects": ["*"], "verbs": ["*"]} | rule])
    client.run(SHELL, "true")
    client.logs(LINES)
    assert {end["verb"]: "recording" in end for end in finished(tmp_path, 2)} == {"exec": bool(wanted), "logs": False}
    assert len(files(tmp_path)) == wanted


def test_sessions_that_do_not_begin_leave_no_recording(recorded, tmp_path):
    client = recorded()
    assert client.refused(SHELL.path("exec"), {"command": argv("no-such-program")}).status == 400
    eventually(lambda: not files(tmp_path), "it was taken away again")


def test_commands_in_recordings_are_what_the_audit_trail_may_have(serve, tmp_path):
    client = serve(SHELL, audit={"file": str(tmp_path / "audit.jsonl"), "commands": "program"},
                   recording={"folder": str(tmp_path / "casts"), "rules": EVERYTHING}).settle(SHELL)
    client.run(SHELL, "true", "hunter2")
    finished(tmp_path)
    assert read(files(tmp_path)[0])[0]["command"] == "true"


def test_asciinema_plays_it(recorded, tmp_path):
    output, _ = recorded().run(SHELL, "sh", "-c", r"printf 'h\303\251\n\033[31mred\033[0m\n'; seq 1000")
    finished(tmp_path)
    played = subprocess.run([sys.executable, "-m", "asciinema", "cat", files(tmp_path)[0]], stdin=subprocess.DEVNULL,
                            capture_output=True, check=True, timeout=30, start_new_session=True,
                            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)})
    assert played.stdout == output


# --- a disk that doesn't do ---

MUCH = ("sh", "-c", "head -c 50000000 /dev/zero | tr '\\0' x")


def test_a_slow_disk_holds_a_session_up_for_the_lag_and_no_longer(disk, recorded, tmp_path):
    client = recorded(maxLag="2s")
    with client.exec(SHELL, "sh", "-c", "read line; exec " + " ".join(MUCH[2:]), stdin=1) as session:
        disk("slow")
        begin = time.monotonic()
        session.send(b"go\n")
        messages, closed = session.read_all(timeout=60)
    assert time.monotonic() - begin < 30
    assert sum(map(len, messages)) == 50000000 and closed.code == 1000
    (end,) = finished(tmp_path)
    assert end["recordingProblem"] == "the session's recording can't keep up with it"
    assert metrics(client)["sluice_recordings_failed_total"] == 1
    eventually(lambda: "recording failed" in client.server.output, "a log line")
    disk("well")
    eventually(lambda: metrics(client)["sluice_recordings"] == 0, "what there was has been written")
    _, events = read(files(tmp_path)[0])
    assert events[-1][1:] == ["m", "recording incomplete: " + end["recordingProblem"]]
    assert 0 < len(text(events)) < 5000000


def test_a_full_disk_is_reported_and_the_session_goes_on(disk, recorded, tmp_path):
    client = recorded()
    with client.exec(SHELL, "cat", stdin=1, stdinEof="empty") as session:
        session.send(b"on record")
        session.read_until(b"on record")
        eventually(lambda: "on record" in files(tmp_path)[0].read_text(), "it is written")
        disk("full")
        session.send(b"unrecorded")
        session.read_until(b"unrecorded")
        session.send(b"")
        assert session.read_close().code == 1000
    (end,) = finished(tmp_path)
    assert end["recordingProblem"] == "the session's recording can't be written"
    eventually(lambda: "No space left on device" in client.server.output, "a log line")
    assert text(read(files(tmp_path)[0])[1]) == "on record"
    assert client.run(SHELL, "echo", "hi")[0] == b"hi\n"


def test_where_sessions_must_be_recorded_none_goes_on_without(disk, recorded, tmp_path):
    client = recorded(onFailure="refuse")
    with client.exec(SHELL, "cat", stdin=1) as session:
        session.send(b"on record")
        session.read_until(b"on record")
        disk("full")
        session.send(b"unrecorded")
        closed = session.read_close()
    assert (closed.code, closed.reason) == (1011, "the session's recording can't be written")
    marker = tmp_path / "ran"
    refusal = client.refused(SHELL.path("exec"), {"command": argv("touch", str(marker))})
    assert refusal.status == 503 and "recording can't be written" in refusal.json["message"]
    assert str(tmp_path) not in refusal.body.decode()
    assert client.logs(LINES)[1].code == 1000
    disk("well")
    assert client.run(SHELL, "true")[1].code == 1000
    assert not marker.exists()


def test_a_session_that_must_be_recorded_waits_for_its_file_no_longer_than_the_lag(disk, recorded):
    client = recorded(onFailure="refuse", maxLag="100ms")
    disk("slow")
    refusal = client.refused(SHELL.path("exec"), {"command": argv("true")})
    disk("well")
    assert refusal.status == 503 and "can't keep up" in refusal.json["message"]


@pytest.mark.parametrize("on_failure, last, code", [("report", "exit", 1000), ("refuse", "exec sleep 1000", 1011)])
def test_a_recording_has_a_largest_size(recorded, tmp_path, on_failure, last, code):
    client = recorded(maxSize=4096, onFailure=on_failure)
    assert client.run(SHELL, "sh", "-c", "seq 100; seq 100000; " + last)[1].code == code
    (end,) = finished(tmp_path)
    assert end["recordingProblem"] == "the session's recording has reached its largest size"
    assert files(tmp_path)[0].stat().st_size < 5000


def test_a_long_command_takes_nothing_of_the_largest_size(recorded, tmp_path):
    words = ("sh", "-c", "echo hi", "x" * 6000)
    assert recorded(maxSize=4096, onFailure="refuse").run(SHELL, *words)[0] == b"hi\n"
    (end,) = finished(tmp_path)
    header, events = read(files(tmp_path)[0])
    assert "recordingProblem" not in end and header["command"] == " ".join(words)
    assert [event[1:] for event in events] == [["o", "hi\n"], ["m", "session ended: 1000 exit code 0"]]


def test_a_folder_that_can_not_be_written_keeps_the_server_from_starting(serve, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AssertionError, match="file/casts: cannot be"):
        serve(LINES, recording={"folder": str(tmp_path / "file/casts"), "rules": EVERYTHING})


def test_a_server_that_is_killed_leaves_what_was_recorded(recorded, tmp_path):
    client = recorded()
    with client.exec(SHELL, "sh", "-c", "echo before; exec sleep 1000") as session:
        session.read_until(b"before")
        eventually(lambda: '"before' in files(tmp_path)[0].read_text(), "it is written")
        client.server.process.kill()
    assert text(read(files(tmp_path)[0])[1]) == "before\n"


# --- sluice replay ---

@pytest.fixture
def cli(tmp_path):
    return Cli.without_server(tmp_path)


def cast(*events, **header):
    lines = [{"version": 2, "width": 80, "height": 24} | header, *events]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def test_replay_prints_what_the_session_printed(recorded, cli, tmp_path):
    output, _ = recorded().run(SHELL, "sh", "-c", r"printf 'h\303\251\n\033[31mred\033[0m\n'; seq 20000")
    finished(tmp_path)
    played = cli.run("replay", "--idle-limit", "0", str(files(tmp_path)[0]))
    assert (played.returncode, played.stdout, played.stderr) == (0, output, b"")


def test_replay_keeps_the_pauses_as_fast_and_as_long_as_is_wanted(cli):
    paced = cast([0.5, "o", "a"], [1.0, "i", "typed"], [100.0, "o", "b"], [100.5, "r", "90x30"], [101.0, "o", "c"])
    for arguments, least, most in ((("--speed", "200"), 0.5, 20), (("--idle-limit", "0.25"), 0.75, 20)):
        began = time.monotonic()
        assert cli.run("replay", "-", *arguments, stdin=paced).stdout == b"abc"
        assert least <= time.monotonic() - began < most
    assert cli.run("replay", "-", "--idle-limit", "0", "--input", stdin=paced).stdout == b"atypedbc"


def test_replay_plays_a_cut_file_up_to_there(cli):
    whole = cast([0.1, "o", "one"], [0.2, "o", "two"])
    for size in range(whole.index(b"[0.2"), len(whole)):
        played = cli.run("replay", "-", stdin=whole[:size])
        assert played.returncode == 0
        assert (played.stdout, b"cut here" in played.stderr) in ((b"one", True), (b"onetwo", False), (b"one", False))
    incomplete = cli.run("replay", "-", stdin=cast([0, "m", "recording incomplete: the disk is full"]))
    assert (incomplete.returncode, incomplete.stderr) == (0, b"sluice: recording incomplete: the disk is full\n")


@pytest.mark.parametrize("content, words", [
    (b"", b"line 1: not an asciicast"), (b"hello\n", b"line 1: not an asciicast"), (b"[]\n", b"not an asciicast"),
    (b'{"a": 1}\n', b"no version"), (b'{"version": 3}\n', b"asciicast version 3; only version 2"),
    (b'{"version": 2, "width": 0, "height": 24}\n', b"no width of 1 to 65535"),
    (cast() + b"[1]\n[]\n", b"line 2: no event of the form"), (cast([-1, "o", ""]), b"line 2: its time"),
    (cast() + b"{\n\n", b"line 2")])
def test_replay_says_what_is_no_asciicast(cli, content, words):
    played = cli.run("replay", "-", stdin=content)
    assert (played.returncode, played.stdout) == (2, b"")
    assert played.stderr.startswith(b"sluice: stdin, ") and words in played.stderr


def test_replay_says_what_is_no_file(cli, tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        assert cli.run("replay", str(path)).returncode in (1, 2)
        assert str(path).encode() in cli.run("replay", str(path)).stderr


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_replay_leaves_the_terminal_as_it_was(cli, tmp_path, end):
    (tmp_path / "long.cast").write_bytes(cast([0, "o", "\x1b[?1049h\x1b[?2"], [0, "o", "5lhello"], [999, "o", "bye"]))
    shown = Terminal(cli, "replay", str(tmp_path / "long.cast"))
    shown.read_until(b"hello")
    assert not shown.is_restored()
    shown.process.send_signal(end)
    shown.read_until(b"\x1b[?25h\x1b[?1049l")
    assert shown.process.wait(30) == 128 + end
    assert shown.is_restored()
    shown.close()


def test_what_the_terminal_answers_to_a_replay_is_not_left_to_the_shell(cli, tmp_path):
    (tmp_path / "asks.cast").write_bytes(cast([0, "o", "\x1b[c"], [999, "o", "bye"]))
    shown = Terminal(cli, "replay", str(tmp_path / "asks.cast"))
    shown.read_until(b"\x1b[c")
    shown.type_ahead(b"\x1b[?62;22c\n")
    shown.process.send_signal(signal.SIGINT)
    assert shown.process.wait(30) == 128 + signal.SIGINT
    assert shown.is_restored()
    assert shown.typed_ahead() == b""
    shown.close()


@pytest.mark.parametrize("option", ["--speed", "--idle-limit"])
@pytest.mark.parametrize("number", ["nan", "-nan", "inf", "-1", "1e10", "fast"])
def test_replay_says_what_is_no_number_it_can_use(cli, option, number):
    played = cli.run("replay", "-", f"{option}={number}", stdin=cast([1, "o", "a"]))
    assert (played.returncode, played.stdout) == (2, b"")
    assert option.encode() in played.stderr


def test_a_replay_that_nobody_reads_ends(cli, tmp_path):
    (tmp_path / "long.cast").write_bytes(cast(*[[0, "o", "x" * 65536]] * 100))
    process = cli.start("replay", str(tmp_path / "long.cast"))
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(30) == 128 + signal.SIGPIPE
    process.stdin.close()
    process.stderr.close()
