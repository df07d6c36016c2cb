"""Contract §4 and RFC 6455: handshake, frames, pings, idle time, backpressure, shutdown."""
import fcntl
import signal
import socket
import struct
import termios
import time
import zlib

import pytest

from conftest import FAST
from support.catalogue import CAT, LINES, MIB, SHELL
from support.client import Client, argv
from support.httpclient import raw_request, request
from support.processes import with_argument
from support.rawws import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Closed, encode,
                           handshake_request)
from support.waiting import eventually


@pytest.fixture(scope="module")
def pinging(backend, tmp_path_factory):
    """A server that pings often, and takes a client for idle only after more than a busy machine may keep it."""
    server = backend.serve(tmp_path_factory.mktemp("pinging"), SHELL, LINES,
                           sessions={"pingInterval": "200ms", "idleTimeout": "3s"}).start()
    yield Client(server, server.token()).settle(SHELL, LINES)
    server.stop()


@pytest.fixture
def cat(client):
    """An exec of cat: what goes in as bytes comes out as bytes."""
    with client.exec(SHELL, "cat", stdin="true") as session:
        yield session


# --- handshake ---


def handshake(client, **changes):
    """The answer to an upgrade request with some headers replaced; None leaves one out."""
    headers = {"Authorization": f"Bearer {client.token}"}
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    data = handshake_request("x", LINES.path("logs"), headers)
    return raw_request(client.server.address, data)


@pytest.mark.parametrize("changes", [
    {"Upgrade": "WebSocket"}, {"Connection": "keep-alive, upgrade"}, {"Connection": "UPGRADE"},
    {"Upgrade": "h2c, websocket"}])
def test_handshake_headers_are_tokens_in_any_case(client, changes):
    assert handshake(client, **changes).status == 101


@pytest.mark.parametrize("changes", [
    {"Upgrade": None}, {"Connection": None}, {"Upgrade": "h2c"}, {"Connection": "close"}])
def test_request_without_upgrade_is_426(client, changes):
    assert handshake(client, **changes).status == 426


def test_http_1_0_cannot_upgrade(client):
    """RFC 9110 7.8: Upgrade in an HTTP/1.0 request is ignored."""
    token = {"Authorization": f"Bearer {client.token}"}
    data = handshake_request("h", SHELL.path("logs"), token).replace(b"HTTP/1.1", b"HTTP/1.0")
    answer = raw_request(client.server.address, data)
    assert (answer.status, answer.headers["upgrade"]) == (426, "websocket")


@pytest.mark.parametrize("key", [None, "", "short", "not base64 at all!!!!!!!"])
def test_bad_sec_websocket_key_is_400(client, key):
    assert handshake(client, Sec_WebSocket_Key=key).status == 400


@pytest.mark.parametrize("version", [None, "8", "14", "x"])
def test_other_websocket_version_is_refused_naming_13(client, version):
    answer = handshake(client, Sec_WebSocket_Version=version)
    assert answer.status in (400, 426)
    if version:
        assert answer.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize("endpoint, query", [
    ("logs", {}), ("exec", {"command": argv("true")}), ("attach", {}),
    ("port-forward", {"port": 1})])
def test_unknown_subprotocols_only_are_400_naming_the_known(client, endpoint, query):
    answer = client.refused(CAT.path(endpoint), query, subprotocols=["chat", "x.y"])
    assert answer.status == 400
    known = {"logs": ["binary.k8s.io"], "port-forward": ["v4.channel.k8s.io", "binary.k8s.io"]}
    channels = ["v5.channel.k8s.io", "v4.channel.k8s.io", "binary.k8s.io"]
    for name in known.get(endpoint, channels):
        assert name in answer.message


@pytest.mark.parametrize("offered, echoed", [
    ([], None), (["binary.k8s.io"], "binary.k8s.io"),
    (["v4.channel.k8s.io", "v5.channel.k8s.io"], "v4.channel.k8s.io"),
    (["chat", "v5.channel.k8s.io"], "v5.channel.k8s.io")])
def test_first_known_subprotocol_that_the_client_lists_is_echoed(client, offered, echoed):
    with client.exec(SHELL, "true", subprotocols=offered) as session:
        assert session.subprotocol == echoed


# --- frames ---


def bad(name, *frames):
    return pytest.param(b"".join(frames), id=name)


@pytest.mark.parametrize("data", [
    bad("unmasked", encode(BINARY, b"x", masked=False)),
    bad("unmasked ping", encode(PING, b"x", masked=False)),
    *[bad(f"reserved bit {bit}", encode(BINARY, b"x", rsv=bit)) for bit in (1, 2, 4)],
    *[bad(f"opcode {code:x}", encode(code, b"x")) for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
    bad("fragmented ping", encode(PING, b"x", fin=False)),
    bad("fragmented close", encode(CLOSE, b"", fin=False)),
    bad("ping over 125 bytes", encode(PING, b"x" * 126)),
    bad("continuation of nothing", encode(CONTINUATION, b"x")),
    bad("message inside a message", encode(BINARY, b"x", fin=False), encode(BINARY, b"y")),
    bad("text inside a message", encode(BINARY, b"x", fin=False), encode(TEXT, b"y")),
    bad("length not minimal, 16 bits", encode(BINARY, b"x" * 5, length_bytes=2)),
    bad("length not minimal, 64 bits", encode(BINARY, b"x" * 200, length_bytes=8)),
    bad("length with the top bit", bytes([0x82, 0xFF]) + b"\xff" * 8 + b"mask"),
    bad("close of one byte", encode(CLOSE, b"\x03")),
    *[bad(f"close code {code}", encode(CLOSE, struct.pack("!H", code)))
      for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)]])
def test_malformed_frames_are_closed_with_1002(cat, data):
    cat.send_raw(data)
    closed = cat.read_close()
    assert closed.code == 1002
    assert closed.reason
    assert cat.ended()


@pytest.mark.parametrize("frames", [
    bad("text", encode(TEXT, b"\xff\xfe")), bad("surrogate", encode(TEXT, b"\xed\xa0\x80")),
    bad("cut short", encode(TEXT, b"\xe2\x82")),
    bad("fragmented", encode(TEXT, b"ok", fin=False), encode(CONTINUATION, b"\xc0\x80"))])
def test_text_that_is_no_utf8_is_closed_with_1007(cat, frames):
    cat.send_raw(frames)
    assert cat.read_close().code == 1007


def test_close_reason_that_is_no_utf8_is_1007(cat):
    cat.send_raw(encode(CLOSE, struct.pack("!H", 1000) + b"\xff"))
    assert cat.read_close().code == 1007


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1008, 1011, 3000, 4999])
def test_close_of_the_client_is_echoed_and_the_connection_ended(cat, code):
    cat.close(code, "bye")
    assert cat.read_close().code == code
    assert cat.ended()


def test_close_without_a_code_is_answered(cat):
    cat.send(b"", CLOSE)
    assert cat.read_close().code in (1000, 1005)
    assert cat.ended()


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_client_may_send_text_or_binary_both_are_bytes(cat, opcode):
    cat.send("grüße\n".encode(), opcode)
    assert cat.read_until(b"\n") == "grüße\n".encode()


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_client_may_fragment_messages_with_pings_in_between(cat, opcode):
    text = "a€b\n".encode()
    cat.send(text[:2], opcode, fin=False)  # cut inside the euro sign
    cat.send(b"between", PING)
    cat.send(b"", CONTINUATION, fin=False)
    cat.send(text[2:], CONTINUATION)
    assert cat.read_until(b"\n") == text
    assert cat.pongs == [b"between"]


def test_frames_arrive_in_single_bytes(cat):
    for byte in encode(BINARY, b"slowly\n"):
        cat.send_raw(bytes([byte]))
    assert cat.read_until(b"\n") == b"slowly\n"


def test_many_frames_arrive_in_one_segment(cat):
    cat.send_raw(b"".join(encode(BINARY, b"%d\n" % number) for number in range(1000)))
    assert cat.read_until(b"\n999\n") == b"".join(b"%d\n" % number for number in range(1000))


@pytest.mark.parametrize("size", [125, 126, 65535, 65536, MIB, 3 * MIB])
def test_messages_of_every_length_form_pass(client, size):
    payload = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with client.exec(SHELL, "head", "-c", str(size), stdin="true") as session:
        session.send(payload)
        messages, closed = session.read_all()
    assert b"".join(messages) == payload
    assert closed == Closed(1000, "exit code 0")


def test_data_after_the_clients_close_is_ignored(cat):
    cat.close()
    try:
        cat.send(b"late\n")
    except OSError:
        pass  # already gone
    messages, closed = cat.read_all()
    assert (messages, closed.code) == ([], 1000)


def test_server_sends_binary_and_never_splits_a_message_up_to_1_mib(client):
    with client.exec(SHELL, "head", "-c", str(4 * MIB), "/dev/zero") as session:
        total = 0
        while (frame := session.frame()).opcode != CLOSE:
            assert (frame.opcode, frame.fin) == (BINARY, True)
            assert len(frame.payload) <= MIB
            total += len(frame.payload)
    assert total == 4 * MIB


# --- compression ---

OFFER = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}


def test_permessage_deflate_is_off_by_default(client):
    with client.open(LINES.path("logs"), headers=OFFER) as session:
        assert "sec-websocket-extensions" not in session.handshake.headers
        assert session.message() == b"line 1\n"


def test_permessage_deflate_is_negotiated_when_offered_and_enabled(serve):
    client = serve(SHELL, websocket={"compression": True}).settle(SHELL)
    with client.open(SHELL.path("exec"), {"command": argv("seq", "1", "5000")},
                     headers=OFFER) as session:
        answer = session.handshake.headers["sec-websocket-extensions"]
        assert answer.startswith("permessage-deflate")
        inflate, text = zlib.decompressobj(-15), b""
        while (frame := session.frame()).opcode != CLOSE:
            if frame.rsv == 4:
                payload = inflate.decompress(frame.payload + b"\x00\x00\xff\xff")
                if "server_no_context_takeover" in answer:
                    inflate = zlib.decompressobj(-15)
            else:
                payload = frame.payload
            text += payload
    assert text == b"".join(b"%d\n" % number for number in range(1, 5001))
    with client.open(SHELL.path("logs")) as session:
        assert "sec-websocket-extensions" not in session.handshake.headers


def test_compressed_client_messages_are_understood(serve):
    client = serve(SHELL, websocket={"compression": True}).settle(SHELL)
    with client.open(SHELL.path("exec"), {"command": argv("cat"), "stdin": "true"},
                     headers=OFFER) as session:
        deflate = zlib.compressobj(wbits=-15)
        packed = deflate.compress(b"squeezed\n" * 50) + deflate.flush(zlib.Z_SYNC_FLUSH)
        session.send(packed[:-4], rsv=4)
        inflate, text = zlib.decompressobj(-15), b""
        while len(text) < 450:
            frame = session.frame()
            ending = b"\x00\x00\xff\xff"
            text += inflate.decompress(frame.payload + ending) if frame.rsv else frame.payload
    assert text == b"squeezed\n" * 50


# --- pings and idle time ---


def test_server_pings_every_ping_interval(quick):
    start = time.monotonic()
    with quick.exec(SHELL, "sleep", "100") as session:
        for _ in range(4):
            frame = session.frame()
            assert frame.opcode == PING
            session.send(frame.payload, PONG)
    assert 0.6 <= time.monotonic() - start <= 10  # at once: 0.8


def test_ping_of_the_client_is_answered_with_its_payload(cat):
    for payload in (b"", b"hello", b"x" * 125):
        cat.send(payload, PING)
        while (frame := cat.frame()).opcode != PONG:
            pass
        assert frame.payload == payload


def test_unasked_pong_is_allowed(cat):
    cat.send(b"unasked", PONG)
    cat.send(b"still here\n")
    assert cat.read_until(b"\n") == b"still here\n"


def test_idle_is_closed_with_1001_idle_timeout(quick):
    start = time.monotonic()
    with quick.exec(SHELL, "sleep", "100") as session:
        session.answer_pings = False
        assert session.read_close() == Closed(1001, "idle timeout")
    assert 0.8 <= time.monotonic() - start <= 10  # at once: 1


def test_quiet_session_lives_as_long_as_its_peer_answers_pings(pinging):
    with pinging.await_lines(LINES, 100).open(LINES.path("logs"), "follow=true&tailLines=0") as session:
        end = time.monotonic() + 4.5
        while time.monotonic() < end:
            frame = session.frame()
            assert frame.opcode == PING
            session.send(frame.payload, PONG)


@pytest.mark.slow
def test_data_from_the_client_counts_against_idle(pinging):
    with pinging.exec(SHELL, "cat", stdin="true") as session:
        session.answer_pings = False
        end = time.monotonic() + 4.5
        while time.monotonic() < end:
            session.send(b"on\n")
            assert session.read_until(b"\n") == b"on\n"
            time.sleep(0.2)
        assert session.read_close() == Closed(1001, "idle timeout")


def test_data_from_the_server_does_not_count_against_idle(quick):
    script = "while :; do echo on; sleep 0.1; done"
    with quick.exec(SHELL, "sh", "-c", script) as session:
        session.answer_pings = False
        assert session.read_close() == Closed(1001, "idle timeout")


# --- slow peers ---


def fill(session):
    """Waits until the server can't write: the socket's queue no longer grows."""
    def stuck():
        before = fcntl.ioctl(session.sock, termios.FIONREAD, b"\0" * 4)
        time.sleep(0.2)
        return before == fcntl.ioctl(session.sock, termios.FIONREAD, b"\0" * 4) != b"\0" * 4
    eventually(stuck, "the socket is full")


@pytest.mark.local
def test_slow_reader_slows_its_source_and_memory_stays_bounded(client, platform):
    marker = "/dev/./zero"
    with client.exec(SHELL, "cat", marker, receive_buffer=4096) as session:
        fill(session)
        before = platform.server.status("VmRSS")
        pid = with_argument(marker)[0]
        written = eventually(lambda: steady(pid), "the source stands still")
        assert platform.server.status("VmRSS") - before < 4096
        session.message()
        assert written < 64 * MIB
    eventually(lambda: not with_argument(marker), "the source ends with its reader")


def steady(pid):
    """The bytes that a process has written, once they no longer grow."""
    def count():
        with open(f"/proc/{pid}/io", encoding="ascii") as io:
            return int(dict(line.split(": ") for line in io.read().splitlines())["wchar"])
    first = count()
    time.sleep(0.2)
    return first if first == count() else 0


def test_nothing_is_dropped_for_a_slow_reader(client):
    with client.exec(SHELL, "seq", "1", "1000000", receive_buffer=4096) as session:
        fill(session)
        # From now on it is quick: the server's patience for its Close is 2 s.
        session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)
        messages, closed = session.read_all(timeout=120)
    assert b"".join(messages) == b"".join(b"%d\n" % number for number in range(1, 1000001))
    assert closed == Closed(1000, "exit code 0")


def test_pings_are_answered_while_data_is_stuck_behind_a_slow_peer(client):
    with client.exec(SHELL, "cat", "/dev/zero", receive_buffer=4096) as session:
        fill(session)
        session.send(b"stuck?", PING)
        received = 0
        while not session.pongs:
            received += len(session.message())
            assert received < 16 * MIB, "the pong waits behind the data"


def test_pings_are_sent_while_data_flows_to_a_slow_peer(serve):
    # Patient, for pings wait behind what is in the sockets.
    client = serve(SHELL, sessions={"pingInterval": "200ms"}).settle(SHELL)
    with client.exec(SHELL, "cat", "/dev/zero", receive_buffer=4096) as session:
        fill(session)
        end = time.monotonic() + 30
        while len(session.pings) < 3:
            assert not isinstance(session.message(), Closed)
            assert time.monotonic() < end, "pings wait behind the data"


def send_until_stuck(session):
    """Sends stdin to a target that doesn't read it, until the server holds the client back."""
    session.sock.settimeout(2)  # longer than a busy machine may keep the server
    sent = 0
    try:
        while True:
            session.sock.sendall(encode(BINARY, b"x" * 65536))
            sent += 65536
            assert sent < 64 * MIB, "the server takes what the target doesn't read"
    except TimeoutError:
        pass  # held back, in the middle of a frame


def test_stuck_stdin_holds_the_client_back_and_idle_time_does_not_run(quick):
    """§10: while the server itself holds the client back, idle time doesn't run."""
    with quick.exec(SHELL, "sh", "-c", "sleep 60; wc -c", stdin="true", stdinEof="empty") as session:
        send_until_stuck(session)
        quiet_until = time.monotonic() + 1.5
        while time.monotonic() < quiet_until:
            try:
                frame = session.frame(timeout=0.3)
            except TimeoutError:
                continue
            assert frame is not None and frame.opcode == PING, frame


@pytest.mark.local
def test_peer_that_vanishes_while_stdin_is_stuck_is_found_by_tcp(serve, network):
    """§10: idle time doesn't run then, so TCP_USER_TIMEOUT must find it."""
    with network:
        client = serve(SHELL, sessions=FAST).settle(SHELL)
        session = client.exec(SHELL, "sleep", "1000.25", stdin="true")
    send_until_stuck(session)
    eventually(lambda: with_argument("1000.25"), "the process")
    network.cut()
    eventually(lambda: not with_argument("1000.25"), "the process ends with its session")
    eventually(lambda: '"close_code":1006' in client.server.output, "the log says how it ended")
    session.sock.close()


@pytest.mark.local
def test_client_that_never_reads_is_gone_after_the_idle_time(quick):
    marker = "/dev/././zero"
    with quick.exec(SHELL, "cat", marker, receive_buffer=4096) as session:
        fill(session)
        eventually(lambda: not with_argument(marker), "its process ends")


# --- shutdown ---


def closing(serve, **sessions):
    client = serve(SHELL, CAT, sessions=sessions).settle(SHELL)
    session = client.exec(SHELL, "sleep", "100")
    return client, session


def test_sigterm_ends_sessions_after_the_grace_with_1001(serve):
    client, session = closing(serve, shutdownGrace="500ms")
    start = time.monotonic()
    client.server.signal(signal.SIGTERM)
    assert session.read_close() == Closed(1001, "server shutting down")
    assert 0.3 <= time.monotonic() - start <= 10  # at once: 0.5
    assert client.server.stop() == 0


def test_during_the_grace_readyz_is_503_and_new_upgrades_are_503(serve):
    client, session = closing(serve, shutdownGrace="60s")
    client.server.signal(signal.SIGTERM)

    def not_ready():
        return request(client.server.admin, "GET", "/readyz", {}).status == 503
    eventually(not_ready, "/readyz is 503")
    answer = client.refused(SHELL.path("logs"))
    assert answer.status == 503
    assert answer.json["code"] == 503
    assert answer.headers["retry-after"].isdigit()
    session.close()
    assert client.server.process.wait(timeout=40) == 0  # §10: as soon as the last session ended


def test_running_sessions_go_on_during_the_grace(serve):
    client = serve(SHELL, sessions={"shutdownGrace": "60s"}).settle(SHELL)
    with client.exec(SHELL, "cat", stdin="true") as session:
        client.server.signal(signal.SIGTERM)
        eventually(lambda: request(client.server.admin, "GET", "/readyz", {}).status == 503, "503")
        session.send(b"still served\n")
        assert session.read_until(b"\n") == b"still served\n"
        session.close()
        session.read_close()
    assert client.server.process.wait(timeout=40) == 0


def test_answers_during_the_grace_say_that_the_connection_ends(serve):
    client, session = closing(serve, shutdownGrace="60s")
    client.server.signal(signal.SIGTERM)
    eventually(lambda: request(client.server.admin, "GET", "/readyz", {}).status == 503, "503")
    for endpoint in ("status", "logs/download", "logs"):
        answer = client.get(SHELL.path(endpoint))
        assert answer.headers["connection"] == "close", (endpoint, answer)
    session.close()


def test_sigint_ends_it_in_order_too(serve):
    client = serve(SHELL)
    client.server.signal(signal.SIGINT)
    assert client.server.process.wait(timeout=60) == 0
