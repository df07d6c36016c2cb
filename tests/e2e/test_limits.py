"""Contract §3, §10: limits on sessions, headers and bodies, and clients that misbehave."""
import os
import socket
import statistics
import threading
import time

import pytest

from support.catalogue import BASE, FOREVER, LINES, SHELL, TICKER, shell
from support.httpclient import dial, raw_request, read_head
from support.metrics import metrics
from support.rawws import BINARY, CONTINUATION, Refused
from support.waiting import eventually

STATUS = BASE + "/status"


def test_over_max_per_user_is_429_with_retry_after(serve):
    client = serve(SHELL, sessions={"maxPerUser": 2})
    bob = client.as_user(client.server.token("bob", ("ml",)))
    first = client.open(SHELL.path("logs"), "follow=true")
    with client.open(SHELL.path("logs"), "follow=true"):
        answer = client.refused(SHELL.path("logs"))
        assert (answer.status, answer.json["code"]) == (429, 429)
        assert answer.headers["retry-after"].isdigit()
        assert answer.message == "you already have 2 sessions, the most a user may have; end one first"
        assert refusals(client, "sessions-per-user") == 1
        assert client.get(SHELL.path("status")).status == 200  # no session
        with bob.open(SHELL.path("logs")):
            pass  # another user isn't disturbed
        first.close()
        first.read_close()
        eventually(lambda: admitted(client), "the place is free again")


def admitted(client):
    try:
        return client.logs(SHELL)[0]
    except Refused as refusal:
        assert refusal.response.status == 429
        return None


def refusals(client, limit):
    return metrics(client)[f'sluice_limit_refusals_total{{limit="{limit}"}}']


def test_over_max_is_429(serve):
    client = serve(SHELL, sessions={"max": 1})
    with client.open(SHELL.path("logs"), "follow=true"):
        answer = client.refused(SHELL.path("exec"), "command=WyJ0cnVlIl0")
        assert (answer.status, answer.json["code"]) == (429, 429)
        assert answer.message == "this server already runs 1 sessions, its most; try again later"
        assert refusals(client, "sessions") == 1


def begin_until_refused(client):
    """Begins sessions, one after the other: the answer to the one that was one too many."""
    for _ in range(100):
        try:
            client.logs(SHELL)
        except Refused as refusal:
            return refusal.response
    raise AssertionError("100 sessions began at once")


def test_beginning_faster_than_a_user_may_is_429_until_some_time_has_passed(serve):
    client = serve(SHELL, sessions={"upgradeRatePerUser": 1, "upgradeBurstPerUser": 3})
    bob = client.as_user(client.server.token("bob", ("ml",)))
    answer = begin_until_refused(client)
    assert (answer.status, answer.json["code"]) == (429, 429)
    assert answer.headers["retry-after"] == "1"
    assert "faster than a user may, 1 a second" in answer.message
    assert refusals(client, "upgrade-rate-per-user") == 1
    assert bob.logs(SHELL)[1].code == 1000  # another user isn't disturbed
    assert client.get(SHELL.path("status")).status == 200  # begins no session
    eventually(lambda: admitted(client), "one may begin again")


def test_beginning_faster_than_the_server_takes_on_is_429_until_some_time_has_passed(serve):
    client = serve(SHELL, sessions={"upgradeRate": 1, "upgradeBurst": 3})
    bob = client.as_user(client.server.token("bob", ("ml",)))
    answer = begin_until_refused(client)
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    assert "than this server takes on, 1 a second" in answer.message
    assert begin_until_refused(bob).status == 429
    assert refusals(client, "upgrade-rate") == 2
    eventually(lambda: admitted(client), "one may begin again")


@pytest.mark.local
def test_while_too_much_is_held_for_slow_readers_none_begins(serve):
    """Those who read slowly keep their sessions."""
    client = serve(SHELL, sessions={"maxBuffered": 1 << 20}).settle(SHELL)
    slow, answer = [], None
    while answer is None:
        assert len(slow) < 50
        try:
            slow.append(client.exec(SHELL, "cat", "/dev/zero", receive_buffer=4096))
            eventually(lambda: metrics(client)["sluice_buffered_bytes"] >= 50_000 * len(slow), "it is stuck")
        except Refused as refusal:
            answer = refusal.response
    assert (answer.status, answer.headers["retry-after"]) == (429, "5")
    assert "sessions hold 1048576 bytes that their clients have yet to read" in answer.message
    assert refusals(client, "buffered-bytes") == 1
    for session in slow:
        assert session.message()
        session.drop()
    eventually(lambda: admitted(client), "one may begin again")


@pytest.mark.local
def test_a_download_counts_as_a_session_until_its_end(serve):
    large = LINES.named(name="large", containers=(shell(f"yes {'a' * 99} | head -n 200000; {FOREVER}"),))
    client = serve(SHELL, large, sessions={"maxPerUser": 1})
    head = (f"GET {large.path('logs/download')} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {client.token}\r\n\r\n").encode()
    eventually(lambda: len(client.get(large.path("logs/download")).body) == 20_000_000, "its log is there", timeout=60)

    def begun():
        sock = dial(client.server.address, receive_buffer=4096)
        sock.sendall(head)
        if sock.recv(12) == b"HTTP/1.1 200":
            return sock
        sock.close()
        return None
    with eventually(begun, "the last download's place is free"):
        eventually(lambda: metrics(client)["sluice_buffered_bytes"] >= 100_000, "what it holds is counted")
        answer = client.get(large.path("logs/download"))
        assert (answer.status, answer.headers["retry-after"]) == (429, "5")
        assert answer.message == "you already have 1 sessions, the most a user may have; end one first"
        assert client.refused(SHELL.path("logs")).status == 429
    eventually(lambda: admitted(client), "the place is free again")


def test_one_connection_that_pipelines_holds_up_nobody(serve):
    client = serve(threads=1)
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    stop = threading.Event()
    with dial(client.server.address) as sock:
        sender = threading.Thread(target=send_until, args=(sock, request * 500, stop))
        reader = threading.Thread(target=drain, args=(sock,))
        sender.start()
        reader.start()
        try:
            durations = [client.answer_time(STATUS) for _ in range(20)]
        finally:
            stop.set()
            sender.join()
            sock.shutdown(socket.SHUT_RDWR)
            reader.join()
    assert statistics.median(durations) < 2


def send_until(sock, data, stop):
    while not stop.is_set():
        sock.sendall(data)


def test_over_max_connections_new_ones_wait_while_the_admin_listener_answers(serve):
    client = serve(http={"maxConnections": 3})
    idle = [dial(client.server.address) for _ in range(3)]
    try:
        eventually(lambda: metrics(client)["sluice_connections"] == 3, "they are accepted")
        with dial(client.server.address) as waiting:
            waiting.settimeout(8)  # the idle ones are cut after 10
            waiting.sendall(f"GET {STATUS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            eventually(lambda: refusals(client, "connections") == 1, "the limit is reached")
            assert metrics(client)["sluice_connections"] == 3
            idle.pop().close()
            assert read_head(waiting)[0].status == 401
    finally:
        for sock in idle:
            sock.close()


@pytest.mark.slow
def test_a_connection_that_says_nothing_is_cut_after_10_s(client):
    with dial(client.server.address) as silent:
        start = time.monotonic()
        silent.settimeout(25)
        drain(silent)
        assert 9 <= time.monotonic() - start <= 20


def test_other_checks_come_before_the_limits(serve):
    """§2: token, query, permission and upgrade; existence after."""
    client = serve(SHELL, sessions={"max": 1})
    mallory = client.as_user(client.server.token("mallory"))
    with client.open(SHELL.path("logs"), "follow=true"):
        assert client.as_user(None).refused(SHELL.path("logs")).status == 401
        assert client.refused(SHELL.path("logs"), "follow=perhaps").status == 400
        assert mallory.refused(SHELL.path("logs")).status == 403
        assert client.get(SHELL.path("logs")).status == 426
        assert client.refused(SHELL.named(name="nothing").path("logs")).status == 429


def test_the_size_of_headers_is_the_configurations(serve):
    client = serve(http={"maxHeaderSize": 4096})
    assert client.get(STATUS, headers={"X-Some": "x" * 1000}).status == 200
    answer = client.get(STATUS, headers={"X-Big": "x" * 4096})
    assert (answer.status, answer.json["code"]) == (431, 431)
    assert answer.message == ("the request's line and headers are larger than 4096 bytes, the most that is taken; "
                              "send fewer or shorter ones")
    assert refusals(client, "header-size") == 1
    assert client.get(STATUS).status == 200


def test_the_size_of_bodies_is_the_configurations(serve):
    client = serve(http={"maxBodySize": 10})
    assert client.get(STATUS, body=b"x" * 10).status == 200
    answer = client.get(STATUS, body=b"x" * 11)
    assert (answer.status, answer.json["code"]) == (413, 413)
    assert answer.message == "the request's body is too large: these endpoints take none, so send none"
    assert refusals(client, "body-size") == 1
    assert client.get(STATUS).status == 200


def test_a_message_over_the_limit_is_1009(serve):
    client = serve(SHELL, websocket={"maxMessageSize": 1000}).settle(SHELL)
    with client.exec(SHELL, "cat", stdin="true") as session:
        session.send(b"x" * 1000)
        session.send(b"y" * 1000)  # the limit is that of each
        received = b""
        while len(received) < 2000:
            received += session.message()
        session.send(b"z" * 600, BINARY, fin=False)
        session.send(b"z" * 401, CONTINUATION)
        _, closed = session.read_all()
    assert (closed.code, closed.reason) == (1009, "a message of more than 1000 bytes; send it in smaller ones")
    eventually(lambda: refusals(client, "message-size") == 1, "it is counted once the session has ended")
    assert client.run(SHELL, "echo", "hi")[0] == b"hi\n"


@pytest.mark.parametrize("headers", [
    {"X-Big": "x" * 70_000}, {f"X-{number}": "x" * 700 for number in range(100)}],
    ids=["one", "many"])
def test_headers_over_64_kib_are_431(client, headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    answer = raw_request(client.server.address,
                         f"GET {STATUS} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
    assert (answer.status, answer.json["code"]) == (431, 431)


def test_headers_below_the_limit_are_served(client):
    headers = {f"X-{number}": "x" * 600 for number in range(80)}
    assert client.get(STATUS, headers=headers).status == 200


def test_body_up_to_64_kib_is_read_and_dropped(client):
    head = (f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n"
            "Content-Length: 65536\r\n\r\n").encode()
    with dial(client.server.address) as sock:
        for _ in range(2):  # the second shows that the first body was read to its end
            sock.sendall(head + b"GET / HTTP/1.1\r\n" * 4096)
            response, rest = read_head(sock)
            assert response.status == 200
            while len(rest) < int(response.headers["content-length"]):
                rest += sock.recv(65536)


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_body_over_64_kib_is_413_and_the_connection_ends(client, framing):
    head = (f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n")
    with dial(client.server.address) as sock:
        if framing == "chunked":
            head += "Transfer-Encoding: chunked\r\n\r\n"
            body = b"11000\r\n" + b"x" * 0x11000 + b"\r\n0\r\n\r\n"
        else:
            head += "Content-Length: 70000\r\n\r\n"
            body = b"x" * 70_000
        try:
            sock.sendall(head.encode() + body)
        except OSError:
            pass  # it may have been cut already
        response, rest = read_head(sock)
        assert response.status == 413
        assert response.headers["connection"].lower() == "close"
        try:
            while sock.recv(65536):
                pass
        except ConnectionResetError:
            pass


@pytest.mark.parametrize("data", [
    b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_malformed_requests_are_4xx_and_end_the_connection(client, data):
    answer = raw_request(client.server.address, data)
    assert answer.status in (400, 505)


def test_head_in_single_bytes_is_served(client):
    head = f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n\r\n"
    with dial(client.server.address) as sock:
        for byte in head.encode():
            sock.send(bytes([byte]))
        assert read_head(sock)[0].status == 200


def test_requests_may_be_pipelined(client):
    head = f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n\r\n"
    with dial(client.server.address) as sock:
        sock.sendall(head.encode() * 3)
        seen = b""
        while seen.count(b"HTTP/1.1 200") < 3:
            data = sock.recv(65536)
            assert data, seen
            seen += data


@pytest.mark.slow
def test_slow_headers_are_cut_after_10_s_also_when_a_byte_comes_each_second(client):
    with dial(client.server.address) as silent, dial(client.server.address) as slow:
        silent.sendall(b"GET / HTTP/1.1\r\n")
        start = time.monotonic()
        stop = threading.Event()
        drip = threading.Thread(target=drip_bytes, args=(slow, stop))
        drip.start()
        for sock in (silent, slow):
            sock.settimeout(25)
            drain(sock)
        stop.set()
        drip.join()
        assert 8 <= time.monotonic() - start <= 20


def drip_bytes(sock, stop):
    for byte in b"GET /cluster-api/status HTTP/1.1\r\nHost: x\r\n":
        try:
            sock.send(bytes([byte]))
        except OSError:
            return
        if stop.wait(1):
            return


def drain(sock):
    """Reads until the server ends the connection."""
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        pass


def test_others_are_served_while_a_client_drips(client):
    with dial(client.server.address) as slow:
        slow.sendall(b"GET /cluster")
        start = time.monotonic()
        assert client.get(STATUS).status == 200
        assert time.monotonic() - start < 8  # the slow one is cut after 10


@pytest.mark.local
def test_vanished_clients_leave_nothing_behind(client, platform):
    descriptors = open_descriptors(platform)
    for _ in range(30):
        client.open(TICKER.path("logs"), "follow=true").drop()
        client.exec(SHELL, "sleep", "1000").drop()
    eventually(lambda: open_descriptors(platform) <= descriptors + 5, "descriptors are given back",
               timeout=30)


def open_descriptors(platform):
    return len(os.listdir(f"/proc/{platform.server.pid}/fd"))


def test_half_closed_http_client_still_gets_its_answer(client):
    head = f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n\r\n"
    with dial(client.server.address) as sock:
        sock.sendall(head.encode())
        sock.shutdown(socket.SHUT_WR)
        assert read_head(sock)[0].status == 200


def test_many_sessions_at_once(client):
    sessions = [client.open(LINES.path("logs"), "follow=true&tailLines=1") for _ in range(200)]
    for session in sessions:
        assert session.message() == b"line 100\n"
    for session in sessions:
        session.sock.close()
