"""Contract §5: logs over WebSocket."""
import re
import statistics
import time
from datetime import datetime, timedelta, timezone

import pytest

from support.catalogue import (DUO, FAILED, FINISHED, LINES, LONG, MIB, PAIR, PARTS, RERUN, SHELL,
                               TICKER)
from support.rawws import BINARY, CONTINUATION, Closed
from support.waiting import eventually

STAMP = re.compile(rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z) (.*\n)$", re.S)
HUNDRED = [b"line %d\n" % number for number in range(1, 101)]
END = Closed(1000, "end of logs")


def bad_query(client, query):
    """The message of the 400 that a query gets, on the WebSocket and as a download alike."""
    answer = client.refused(LINES.path("logs"), query)
    assert answer.status == 400, query
    assert client.get(LINES.path("logs/download"), query).status == 400
    return answer.message


def stamps(messages):
    """The time stamps as (text, datetime to the microsecond)."""
    found = [STAMP.match(message).group(1).decode() for message in messages]
    return [(text, parse(text)) for text in found]


def parse(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc)
    return moment + timedelta(microseconds=int(fraction.ljust(6, "0")[:6]))


# --- messages ---


def test_one_line_per_binary_message_its_newline_included(client):
    messages, closed = client.logs(LINES)
    assert messages == HUNDRED
    assert closed == END


def test_empty_lines_are_messages_and_a_last_line_without_newline_goes_as_it_is(client):
    messages, closed = client.logs(FINISHED)
    assert messages == [b"first\n", b"\n", b"no newline"]
    assert closed.code == 1000


def test_stderr_is_in_the_log_too(client):
    assert client.logs(FAILED)[0] == [b"to stderr\n"]


def test_line_over_1_mib_is_one_message_of_several_frames(client):
    with client.open(LONG.path("logs")) as session:
        whole = session.frame()
        assert (whole.opcode, whole.fin, len(whole.payload)) == (BINARY, True, MIB)
        frames = [session.frame()]
        while not frames[-1].fin:
            frames.append(session.frame())
        assert session.message() == b"end\n"
    assert len(frames) > 1
    assert [frame.opcode for frame in frames] == [BINARY] + [CONTINUATION] * (len(frames) - 1)
    line = b"".join(frame.payload for frame in frames)
    assert line == b"b" * (3 * MIB // 2) + b"\n"


def test_line_is_sent_when_its_newline_has_come_also_when_stored_in_parts(client):
    with client.open(PARTS.path("logs"), "follow=true&tailLines=0") as session:
        assert [session.message() for _ in range(3)] == [b"parts\n"] * 3


def test_subprotocol_binary_k8s_io_is_echoed(client):
    with client.open(LINES.path("logs"), subprotocols=["binary.k8s.io"]) as session:
        assert session.subprotocol == "binary.k8s.io"
        assert session.message() == b"line 1\n"


def test_messages_of_the_client_are_ignored(client):
    with client.open(TICKER.path("logs"), "follow=true&tailLines=0") as session:
        session.send(b"nobody reads this")
        assert session.message().startswith(b"tick ")


# --- following ---


def test_follow_stays_open_and_new_lines_are_pushed_as_they_arrive(client):
    with client.open(TICKER.path("logs"), "follow=true") as session:
        numbers = [int(session.message().split()[1]) for _ in range(10)]
        last = int(client.logs(TICKER, tailLines=1)[0][0].split()[1])
        while numbers[-1] < last + 5:
            numbers.append(int(session.message().split()[1]))
    assert numbers == list(range(1, len(numbers) + 1))


def test_follow_defaults_to_false(client):
    assert client.logs(TICKER)[1] == END


def test_follow_of_an_ended_container_gives_the_remaining_lines_then_1000(client):
    messages, closed = client.logs(FINISHED, follow="true")
    assert messages == [b"first\n", b"\n", b"no newline"]
    assert closed == Closed(1000, "container ended")


def test_follow_ends_with_1000_when_limit_bytes_is_reached(client):
    messages, closed = client.logs(TICKER, follow="true", limitBytes=20)
    assert len(b"".join(messages)) == 20
    assert closed.code == 1000


def test_follow_and_client_close(client):
    with client.open(LINES.path("logs"), "follow=true") as session:
        assert [session.message() for _ in range(100)] == HUNDRED
        session.close()
        assert session.read_close().code == 1000


# --- pod and container ---


def test_pod_defaults_to_the_first_and_any_other_may_be_named(client, platform):
    for query, index in [({}, 0), ({"pod": ""}, 0), ({"pod": platform.pod(PAIR, 0)}, 0),
                         ({"pod": platform.pod(PAIR, 1)}, 1)]:
        assert client.logs(PAIR, **query)[0] == [b"I am %s\n" % platform.pod(PAIR, index).encode()]


def test_pod_of_another_workload_is_404(client, platform):
    answer = client.refused(PAIR.path("logs"), {"pod": platform.pod(LINES)})
    assert answer.status == 404
    assert platform.pod(LINES) in answer.message


@pytest.mark.parametrize("workload, query, text", [
    (LINES, {"container": "main"}, b"line 1\n"),
    (PAIR, {"container": "sidecar"}, b"I am the sidecar\n"),
    (DUO, {}, b"I am alpha\n"), (DUO, {"container": ""}, b"I am alpha\n"),
    (DUO, {"container": "beta"}, b"I am beta\n")])
def test_container_defaults_to_the_only_the_one_named_as_the_workload_or_the_first(
        client, workload, query, text):
    assert client.logs(workload, **query)[0][0] == text


def test_unknown_container_is_404(client):
    assert client.refused(LINES.path("logs"), "container=nope").status == 404


# --- tailLines, limitBytes ---


@pytest.mark.parametrize("value, count", [("-1", 100), ("0", 0), ("1", 1), ("2", 2), ("100", 100),
                                          ("1000000000000", 100)])
def test_tail_lines(client, value, count):
    messages, closed = client.logs(LINES, tailLines=value)
    assert messages == HUNDRED[100 - count:]
    assert closed == END


@pytest.mark.parametrize("value", ["-2", "x", "1.5", "", " 1", "1e3", "99999999999999999999"])
def test_bad_tail_lines_is_400(client, value):
    assert "tailLines" in bad_query(client, {"tailLines": value})


def test_limit_bytes_counts_text_as_sent_and_may_cut_a_line(client):
    messages, closed = client.logs(LINES, limitBytes=10)
    assert messages == [b"line 1\n", b"lin"]
    assert closed.code == 1000
    assert client.logs(LINES, limitBytes=7)[0] == [b"line 1\n"]
    assert client.logs(LINES, limitBytes=1)[0] == [b"l"]
    assert client.logs(LINES, limitBytes=1 << 40)[0] == HUNDRED


def test_limit_bytes_counts_timestamps(client):
    whole = client.logs(LINES, timestamps="true")[0]
    cut = client.logs(LINES, timestamps="true", limitBytes=50)[0]
    assert b"".join(cut) == b"".join(whole)[:50]


@pytest.mark.parametrize("value", ["0", "-1", "x", ""])
def test_bad_limit_bytes_is_400(client, value):
    assert "limitBytes" in bad_query(client, {"limitBytes": value})


# --- time ---


def test_timestamps_are_rfc_3339_nano_utc(client):
    messages, _ = client.logs(LINES, timestamps="true")
    assert [STAMP.match(message).group(2) for message in messages] == HUNDRED
    moments = [moment for _, moment in stamps(messages)]
    assert moments == sorted(moments)
    assert abs(datetime.now(timezone.utc) - moments[-1]) < timedelta(minutes=10)


@pytest.mark.parametrize("value", ["1", "1s", "1000ms"])
def test_since_seconds_gives_lines_newer_than_a_relative_duration(client, value):
    second = timedelta(seconds=1)

    def newer():
        """Those that are certainly newer: how many lines a second has, is the machine's affair."""
        earlier, _ = client.logs(TICKER, timestamps="true")
        before = datetime.now(timezone.utc)
        messages, _ = client.logs(TICKER, sinceSeconds=value, timestamps="true")
        after = datetime.now(timezone.utc)
        assert all(moment >= before - second for _, moment in stamps(messages))
        wanted = [line for line, (_, moment) in zip(earlier, stamps(earlier)) if moment > after - second]
        assert set(wanted) <= set(messages)
        return wanted
    eventually(lambda: len(client.logs(TICKER)[0]) > 40, "two seconds of ticks")
    eventually(lambda: len(newer()) > 5, "several lines in a second")


@pytest.mark.parametrize("value", ["0s", "0", "200m", "1h30m", "3h", "3600", "1.5h", "+5h"])
def test_since_seconds_is_a_go_duration_or_whole_seconds(client, value):
    assert client.logs(LINES, sinceSeconds=value)[0] == HUNDRED


@pytest.mark.parametrize("value", ["-1", "-1s", "", "x", "5 s", "5d", "1.5", "s", "h1"])
def test_bad_since_seconds_is_400(client, value):
    assert "sinceSeconds" in bad_query(client, {"sinceSeconds": value})


def test_since_time_keeps_the_fraction(client):
    def later_in_its_second():
        """A line, and its stamp, which differs from that of the line before. Lines that are read at once have one."""
        messages, _ = client.logs(TICKER, timestamps="true")
        texts = [text for text, _ in stamps(messages)]
        return next(((text, message) for before, text, message in zip(texts, texts[1:], messages[1:])
                     if before != text and before[:19] == text[:19]), None)
    text, message = eventually(later_in_its_second, "two ticks within a second")
    assert "." in text
    later = client.logs(TICKER, sinceTime=text, timestamps="true")[0]
    assert later[0] == message


def test_since_time_with_an_offset(client):
    messages, _ = client.logs(TICKER, timestamps="true")
    text, moment = stamps(messages)[-1]
    first = next(message for message in messages if message.startswith(text.encode()))  # of those read at once
    fraction = text.rstrip("Z").partition(".")[2]
    local = (moment + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S")
    local += f".{fraction}+02:00" if fraction else "+02:00"
    assert client.logs(TICKER, sinceTime=local, timestamps="true")[0][0] == first


def test_since_time_in_the_future_is_nothing(client):
    assert client.logs(LINES, sinceTime="2999-01-01T00:00:00Z") == ([], END)


@pytest.mark.parametrize("value", ["", "x", "2024-01-01", "2024-01-01T00:00:00", "1700000000",
                                   "2024-13-01T00:00:00Z", "2024-01-01 00:00:00Z"])
def test_bad_since_time_is_400(client, value):
    assert "sinceTime" in bad_query(client, {"sinceTime": value})


def test_since_time_with_since_seconds_over_0_is_400(client):
    both = {"sinceTime": "2024-01-01T00:00:00Z", "sinceSeconds": "5s"}
    assert "sinceTime" in bad_query(client, both)
    assert client.logs(LINES, **both | {"sinceSeconds": "0s"})[0] == HUNDRED


# --- previous ---


def test_no_previous_run_is_404(client):
    answer = client.refused(LINES.path("logs"), "previous=true")
    assert answer.status == 404
    assert "previous" in answer.message
    assert client.get(LINES.path("logs/download"), "previous=true").status == 404


def test_previous_is_the_run_before(client):
    first = client.logs(RERUN)[0]
    client.run(RERUN, "kill", first[0].split()[1].decode())
    eventually(lambda: client.logs(RERUN)[0] not in ([], first), "the second run",
               timeout=40)  # a platform may wait a while before it runs it again
    assert client.logs(RERUN, previous="true")[0] == first


# --- booleans and repetition ---


@pytest.mark.parametrize("value", ["1", "t", "T", "true", "TRUE", "True"])
def test_true_as_gos_parse_bool(client, value):
    assert STAMP.match(client.logs(LINES, timestamps=value)[0][0])


@pytest.mark.parametrize("value", ["0", "f", "F", "false", "FALSE", "False"])
def test_false_as_gos_parse_bool(client, value):
    assert client.logs(LINES, timestamps=value, follow=value, previous=value)[0] == HUNDRED


@pytest.mark.parametrize("field", ["timestamps", "previous"])
@pytest.mark.parametrize("value", ["", "yes", "on", "tRUE", "2", "TrUe", " true"])
def test_other_booleans_are_400(client, field, value):
    assert field in bad_query(client, {field: value})


def test_bad_follow_is_400(client):
    assert client.refused(LINES.path("logs"), "follow=maybe").status == 400


@pytest.mark.parametrize("field, value", [
    ("pod", "lines-0-0"), ("container", "main"), ("tailLines", "1"), ("limitBytes", "1"),
    ("timestamps", "true"), ("previous", "false"), ("sinceSeconds", "1"),
    ("sinceTime", "2024-01-01T00:00:00Z")])
def test_single_valued_field_given_twice_is_400(client, field, value):
    assert field in bad_query(client, [(field, value), (field, value)])


def test_unknown_fields_are_ignored(client):
    assert client.logs(LINES, taillines="5", x="")[0] == HUNDRED


def test_lines_of_a_running_exec_are_not_in_the_log(client):
    assert client.run(SHELL, "echo", "not logged")[0] == b"not logged\n"
    assert client.logs(SHELL)[0] == [b"ready\n"]


def test_a_line_arrives_within_a_moment_of_being_written(client):
    with client.open(TICKER.path("logs"), "follow=true&tailLines=0&timestamps=true") as session:
        def lateness():
            _, moment = stamps([session.message()])[0]
            return time.time() - moment.timestamp()
        # A busy machine has its better moments.
        eventually(lambda: statistics.median(lateness() for _ in range(30)) < 0.5, "a line comes at once")
