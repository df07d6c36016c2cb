"""What two servers might read differently (RFC 9112 11): `sluiced` alone, and behind the proxies of the operators'
guide, takes a request for what it is or not at all.

Each attack is bytes that one parser takes for one request and another for two. Three paths tell them apart: `first`
is asked for, `hidden` only by whoever is fooled, `last` by whoever is still there behind it. None of them exists, and
a 404 is as good as any other answer: the log has what `sluiced` understood, the proxy's log what the proxy did.
"""
import dataclasses
import itertools
import json

import pytest

from support import reverse_proxies
from support.catalogue import BASE, SHELL
from support.client import Client, argv
from support.files import whole_lines
from support.httpclient import dial
from support.rawws import BINARY, Refused, encode, handshake_request
from support.waiting import eventually

pytestmark = pytest.mark.local  # how requests are read does not depend on the backend

FRONTS = {"alone": None, "nginx": reverse_proxies.Nginx, "haproxy": reverse_proxies.HaProxy}
SERIAL = itertools.count()
HTTP_0_9 = "an answer without status"


@dataclasses.dataclass
class Edge:
    """A server, and what stands in front of it: `client` talks to that."""
    log: object  # its file
    client: Client
    proxy: object = None

    def understood(self, serial):
        """The paths with this number that the server has answered for, in order."""
        lines = [json.loads(line) for line in whole_lines(self.log) if line.startswith("{")]
        return [line["path"] for line in lines if line["event"] == "request" and f"-{serial}" in line["path"]]

    def passed_on(self, serial):
        """Those that the proxy has seen."""
        return [path for path in self.proxy.requests() if f"-{serial}" in path]


@pytest.fixture(scope="module")
def edge_server(backend, tmp_path_factory):
    folder = tmp_path_factory.mktemp("edge")
    server = backend.serve(folder, SHELL, threads=1, log={"level": "debug"}).start()
    Client(server, server.token()).settle(SHELL)
    yield server
    server.stop()


@pytest.fixture(scope="module", params=FRONTS)
def edge(request, edge_server, tmp_path_factory):
    log, token = edge_server.log, edge_server.token()
    if FRONTS[request.param] is None:
        yield Edge(log, Client(edge_server, token))
        return
    proxy = FRONTS[request.param](tmp_path_factory.mktemp(request.param), edge_server)
    yield Edge(log, Client(proxy, token, proxy.tls), proxy)
    proxy.stop()


def get(path, *fields, version="1.1"):
    lines = [f"GET {path} HTTP/{version}", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines)


def paths(serial):
    return [f"{BASE}/{name}-{serial}" for name in ("first", "hidden", "last")]


def exchange(client, data, pieces=None):
    """Sends bytes and reads until the connection ends: the statuses of all answers."""
    with dial(client.server.address, client.tls) as sock:
        try:
            for piece in pieces or [data]:
                sock.sendall(piece)
        except OSError:
            pass  # it was cut while we sent: what counts is what came back
        received = b""
        try:
            while more := sock.recv(65536):
                received += more
        except (ConnectionResetError, TimeoutError):
            pass
    return statuses(received)


def statuses(data):
    """Of all answers in what was received, whose bodies have a length; behind a 101 come none."""
    found = []
    while data and 101 not in found:
        if not data.startswith(b"HTTP/1."):
            return [*found, HTTP_0_9]  # such an answer has no head, and is the last
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        found.append(int(first.split()[1]))
        data = rest[int(fields.get(b"content-length", 0)):]
    return found


# What stands behind the request line for `first`: (fields, body). HIDDEN stands for the request for `hidden`.
CHUNKED = "Transfer-Encoding: chunked\r\n"
FRAMINGS = {
    "length and chunked": ("Content-Length: 4\r\n" + CHUNKED, "0\r\n\r\nHIDDEN"),
    "chunked and length": (CHUNKED + "Content-Length: 5\r\n", "0\r\n\r\nHIDDEN"),
    "length 0 and chunked": ("Content-Length: 0\r\n" + CHUNKED, "5\r\nhello\r\n0\r\n\r\nHIDDEN"),
    "two equal lengths": ("Content-Length: 5\r\nContent-Length: 5\r\n", "helloHIDDEN"),
    "two lengths": ("Content-Length: 0\r\nContent-Length: 5\r\n", "helloHIDDEN"),
    "length with a plus": ("Content-Length: +5\r\n", "helloHIDDEN"),
    "length below zero": ("Content-Length: -5\r\n", "HIDDEN"),
    "hexadecimal length": ("Content-Length: 0x5\r\n", "helloHIDDEN"),
    "list of lengths": ("Content-Length: 5, 5\r\n", "helloHIDDEN"),
    "list of two lengths": ("Content-Length: 0,5\r\n", "helloHIDDEN"),
    "length with a fraction": ("Content-Length: 5.0\r\n", "helloHIDDEN"),
    "length of two numbers": ("Content-Length: 5 0\r\n", "helloHIDDEN"),
    "empty length": ("Content-Length:\r\n", "HIDDEN"),
    "length of 2^64 and 5": ("Content-Length: 18446744073709551621\r\n", "helloHIDDEN"),
    "length and vertical tab": ("Content-Length: \x0b5\r\n", "helloHIDDEN"),
    "length before a space and colon": ("Content-Length : 5\r\n", "helloHIDDEN"),
    "chunked twice": (CHUNKED * 2, "0\r\n\r\nHIDDEN"),
    "chunked, identity": ("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\nHIDDEN"),
    "identity, chunked": ("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\nHIDDEN"),
    "identity": ("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "helloHIDDEN"),
    "vertical tab and chunked": ("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\nHIDDEN"),
    "xchunked": ("Transfer-Encoding: xchunked\r\n", "0\r\n\r\nHIDDEN"),
    "chunked in quotes": ("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\nHIDDEN"),
    "chunked with a parameter": ("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\nHIDDEN"),
    "empty coding": ("Transfer-Encoding:\r\n", "0\r\n\r\nHIDDEN"),
    "coding before a space and colon": ("Transfer-Encoding : chunked\r\n", "0\r\n\r\nHIDDEN"),
    "coding behind a bare line feed": ("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN"),
    "coding behind a bare return": ("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN"),
    "coding in a folded line": ("X: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN"),
    "folded coding": ("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\nHIDDEN"),
    "folded first line": (" X: y\r\nContent-Length: 5\r\n", "helloHIDDEN"),
    "head ended by line feeds": ("X: y\n\nHIDDEN", ""),
    "head ended by returns": ("X: y\r\rHIDDEN", ""),
    "NUL in a value": ("X: a\x00b\r\n", "HIDDEN"),
    "NUL in a name": ("Content-Length\x00: 5\r\n", "helloHIDDEN"),
    "line without colon": ("Content-Length\r\n", "HIDDEN"),
    "chunk size with a plus": (CHUNKED, "+5\r\nhello\r\n0\r\n\r\nHIDDEN"),
    "chunk size with 0x": (CHUNKED, "0x5\r\nhello\r\n0\r\n\r\nHIDDEN"),
    "chunk size below zero": (CHUNKED, "-1\r\nHIDDEN"),
    "chunk size of 2^64 and 5": (CHUNKED, "10000000000000005\r\nhello\r\n0\r\n\r\nHIDDEN"),
    "no chunk size": (CHUNKED, "\r\nHIDDEN"),
    "chunk longer than its size": (CHUNKED, "5\r\nhello!\r\n0\r\n\r\nHIDDEN"),
    "chunk ended by a line feed": (CHUNKED, "5\r\nhello\n0\r\n\r\nHIDDEN"),
    "chunk size ended by a line feed": (CHUNKED, "5\nhello\r\n0\r\n\r\nHIDDEN"),
    "line feed in a chunk's extension": (CHUNKED, "5;a\nhello\r\n0\r\n\r\nHIDDEN"),
    "line feed in a quoted extension": (CHUNKED, "5;a=\"\n\"\r\nhello\r\n0\r\n\r\nHIDDEN"),
    "open quote in a chunk's extension": (CHUNKED, "5;a=\"\r\nhello\r\n0\r\n\r\nHIDDEN"),
    "return in a chunk's extension": (CHUNKED, "5;a\rb\r\nhello\r\n0\r\n\r\nHIDDEN"),
    "length in the trailers": (CHUNKED, "0\r\nContent-Length: 5\r\n\r\nHIDDEN"),
    "trailers ended by a line feed": (CHUNKED, "0\r\nX: y\n\r\nHIDDEN"),
}


def assert_same_understanding(edge, serial):
    """Nothing that one request left behind becomes part of the next one, and the server has seen nothing that the
    proxy has not."""
    after = f"{BASE}/after-{serial}"
    assert exchange(edge.client, get(after, "Connection: close").encode()) == [404]
    eventually(lambda: after in edge.understood(serial), "the request behind it is in the log")
    if edge.proxy is None:
        return
    eventually(lambda: after in edge.passed_on(serial), "the proxy has it in its log")
    passed_on = iter(edge.passed_on(serial))
    understood = edge.understood(serial)
    assert all(path in passed_on for path in understood), (understood, edge.passed_on(serial))


@pytest.mark.parametrize("framing", FRAMINGS)
def test_ambiguous_framing_hides_no_request(edge, framing):
    serial = next(SERIAL)
    first, hidden, last = paths(serial)
    fields, body = (text.replace("HIDDEN", get(hidden)) for text in FRAMINGS[framing])
    data = f"POST {first} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{body}" + get(last, "Connection: close")
    answers = exchange(edge.client, data.encode("latin-1"))
    if edge.proxy is None:
        assert answers == [400]
    assert_same_understanding(edge, serial)
    if edge.proxy is None:
        assert edge.understood(serial) == [f"{BASE}/after-{serial}"]
    else:
        assert len(answers) <= len([path for path in edge.passed_on(serial) if "after" not in path]) + 1


# A body that everybody reads alike. `hidden` is part of it.
BODIES = {
    "length": ("Content-Length: {size}\r\n", "{body}"),
    "length with spaces": ("Content-Length: \t {size} \r\n", "{body}"),
    "length with leading zeros": ("Content-Length: 000{size}\r\n", "{body}"),
    "chunked": (CHUNKED, "{hex}\r\n{body}\r\n0\r\n\r\n"),
    "chunked in capitals with spaces": ("transfer-encoding: \tCHUNKED \r\n", "{hex}\r\n{body}\r\n0\r\n\r\n"),
    "chunks with leading zeros": (CHUNKED, "000{hex}\r\n{body}\r\n00\r\n\r\n"),
    "chunks with extensions": (CHUNKED, "{hex};a=b;c=\"d\"\r\n{body}\r\n0;e\r\n\r\n"),
    "trailers": (CHUNKED, "{hex}\r\n{body}\r\n0\r\nX: y\r\nAuthorization: Bearer z\r\n\r\n"),
    "named by Connection": ("Connection: Content-Length\r\nContent-Length: {size}\r\n", "{body}"),
    "with lookalikes": ("Content_Length: 0\r\nTransfer_Encoding: chunked\r\nContent-Length: {size}\r\n", "{body}"),
}


@pytest.mark.parametrize("framing", BODIES)
@pytest.mark.parametrize("cut", ["whole", "in single bytes"])
def test_request_within_a_body_is_none(edge, framing, cut):
    serial = next(SERIAL)
    first, hidden, last = paths(serial)
    body = get(hidden)
    fields, text = (part.format(size=len(body), hex=f"{len(body):x}", body=body) for part in BODIES[framing])
    data = f"POST {first} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{text}" + get(last, "Connection: close")
    pieces = None if cut == "whole" else [bytes([byte]) for byte in data.encode()]
    answers = exchange(edge.client, data.encode(), pieces)
    assert_same_understanding(edge, serial)
    assert hidden not in edge.understood(serial)
    if edge.proxy is None:
        assert answers == [404, 404]
        assert edge.understood(serial)[:2] == [first, last]


# The request line and Host: {first} is the path; what comes of it at sluiced itself.
HEADS = {
    "no Host": ("GET {first} HTTP/1.1\r\n", 400),
    "two Hosts": ("GET {first} HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n", 400),
    "Host with a path": ("GET {first} HTTP/1.1\r\nHost: localhost/x\r\n", 400),
    "Host with a user": ("GET {first} HTTP/1.1\r\nHost: u@localhost\r\n", 400),
    "list of Hosts": ("GET {first} HTTP/1.1\r\nHost: localhost, other\r\n", 400),
    "Host before a space and colon": ("GET {first} HTTP/1.1\r\nHost : localhost\r\n", 400),
    "absolute form": ("GET http://localhost{first} HTTP/1.1\r\nHost: localhost\r\n", 404),
    "absolute form of another": ("GET http://other{first} HTTP/1.1\r\nHost: localhost\r\n", 400),
    "another scheme": ("GET ftp://localhost{first} HTTP/1.1\r\nHost: localhost\r\n", 400),
    "authority form": ("CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n", 404),
    "GET of an authority": ("GET localhost{first} HTTP/1.1\r\nHost: localhost\r\n", 400),
    "asterisk form": ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n", 404),
    "fragment": ("GET {first}#x HTTP/1.1\r\nHost: localhost\r\n", 400),
    "space in the target": ("GET {first} x HTTP/1.1\r\nHost: localhost\r\n", 400),
    "tab for a space": ("GET\t{first} HTTP/1.1\r\nHost: localhost\r\n", 400),
    "two spaces": ("GET  {first} HTTP/1.1\r\nHost: localhost\r\n", 400),
    "bare line feeds": ("GET {first} HTTP/1.1\nHost: localhost\n", 400),
    "line feed before it": ("\nGET {first} HTTP/1.1\r\nHost: localhost\r\n", 400),
    "HTTP/0.9": ("GET {first}\r\n", 400),
    "HTTP/1.2": ("GET {first} HTTP/1.2\r\nHost: localhost\r\n", 400),
    "HTTP/2": ("GET {first} HTTP/2.0\r\nHost: localhost\r\n", 400),
    "small letters": ("GET {first} http/1.1\r\nHost: localhost\r\n", 400),
    "control character": ("GET {first}\x7f HTTP/1.1\r\nHost: localhost\r\n", 400),
    "out of the base": ("GET " + BASE + "/../metrics{first} HTTP/1.1\r\nHost: localhost\r\n", 404),
    "into the base": ("GET /x/..{first} HTTP/1.1\r\nHost: localhost\r\n", 404),
    "encoded slash": ("GET " + BASE + "/..%2fx{first} HTTP/1.1\r\nHost: localhost\r\n", 404),
}


@pytest.mark.parametrize("name", HEADS)
def test_odd_head_is_refused_or_read_alike(edge, name):
    serial = next(SERIAL)
    first, hidden, last = paths(serial)
    head, status = HEADS[name]
    data = head.replace("{first}", first) + "\r\n" + get(last, "Connection: close")
    answers = exchange(edge.client, data.encode("latin-1"))
    assert_same_understanding(edge, serial)
    assert hidden not in edge.understood(serial)
    if edge.proxy is None:
        assert answers == ([400] if status == 400 else [status, 404])


def test_nothing_is_read_behind_a_refused_request(edge):
    """Also when it comes later, once the answer is there."""
    serial = next(SERIAL)
    first, hidden, _ = paths(serial)
    with dial(edge.client.server.address, edge.client.tls) as sock:
        sock.sendall(f"GET {first} HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n".encode())
        assert b" 400 " in sock.recv(65536)
        try:
            sock.sendall(get(hidden).encode())
            while sock.recv(65536):
                pass
        except OSError:
            pass  # the connection has ended: so be it
    assert_same_understanding(edge, serial)
    assert hidden not in edge.understood(serial)


FLOODS = {
    "one": "X: " + "x" * 70_000 + "\r\n",
    "a hundred": "".join(f"X-{number}: {'x' * 650}\r\n" for number in range(100)),
    "twelve thousand": "a: b\r\n" * 12_000,
}


@pytest.mark.parametrize("size", FLOODS)
def test_header_floods_are_refused(edge, size):
    flood = FLOODS[size]
    serial = next(SERIAL)
    first, hidden, _ = paths(serial)
    data = f"GET {first} HTTP/1.1\r\nHost: localhost\r\n{flood}\r\n" + get(hidden, "Connection: close")
    answers = exchange(edge.client, data.encode())
    assert answers[0] in (400, 431)
    assert_same_understanding(edge, serial)
    assert first not in edge.understood(serial)
    if edge.proxy is None:
        assert answers == [431] and hidden not in edge.understood(serial)


def test_an_overlong_request_line_is_refused(edge):
    serial = next(SERIAL)
    first, hidden, _ = paths(serial)
    answers = exchange(edge.client, (get(first + "?" + "x" * 70_000) + get(hidden)).encode())
    assert answers in ([414], [431], [400])
    assert_same_understanding(edge, serial)
    assert not {first, hidden} & set(edge.understood(serial))
    if edge.proxy is None:
        assert answers == [431]


# Handshakes that are refused, whatever the proxy made of them.
UPGRADES = {
    "bad version": {"Sec-WebSocket-Version": "12"},
    "no version": {"Sec-WebSocket-Version": None},
    "bad key": {"Sec-WebSocket-Key": "AAAA"},
    "no key": {"Sec-WebSocket-Key": None},
    "no Connection": {"Connection": None},
    "Connection: close": {"Connection": "close"},
    "h2c": {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQAAP__"},
    "another protocol first": {"Upgrade": "h2c/1, TLS/1.2"},
    "no token": {"Authorization": None},
}


@pytest.mark.parametrize("trick", UPGRADES)
def test_nothing_tunnels_through_a_refused_upgrade(edge, trick):
    """A proxy that took the request's word for it would pass on what follows unread: here, what it must not let by."""
    serial = next(SERIAL)
    outside = f"/outside-{serial}"
    fields = {"Authorization": f"Bearer {edge.client.token}"} | UPGRADES[trick]
    target = f"{SHELL.path('exec')}?command={argv('true')}"
    data = handshake_request("localhost", target, fields) + get(outside, "Connection: close").encode()
    answers = exchange(edge.client, data)
    # nginx makes the field Connection itself, so that an upgrade without one is an upgrade for both.
    completed = isinstance(edge.proxy, reverse_proxies.Nginx) and trick in ("no Connection", "Connection: close")
    assert answers[0] == 101 if completed else answers[0] in (400, 401, 426)
    assert_same_understanding(edge, serial)
    assert outside not in edge.understood(serial)


def test_an_upgrade_with_a_body_has_none(edge):
    serial = next(SERIAL)
    hidden = get(paths(serial)[1]).encode()
    target = f"{SHELL.path('exec')}?stdin=true&stdinEof=empty&command={argv('cat')}"
    fields = {"Authorization": f"Bearer {edge.client.token}", "Content-Length": str(len(hidden))}
    with dial(edge.client.server.address, edge.client.tls) as sock:
        sock.sendall(handshake_request("localhost", target, fields) + hidden)
        received = receive_until(sock, b"\r\n\r\n")
        if b" 101 " in received.split(b"\r\n")[0]:
            sock.sendall(encode(BINARY, b"hello"))
            receive_until(sock, b"hello")
    assert_same_understanding(edge, serial)
    assert paths(serial)[1] not in edge.understood(serial)


def receive_until(sock, text):
    received = b""
    while text not in received:
        more = sock.recv(65536)
        assert more, received
        received += more
    return received


def test_sessions_pass(edge):
    """What all of it is for."""
    try:
        assert edge.client.run(SHELL, "sh", "-c", "echo hi; exit 3")[0] == b"hi\n"
    except Refused as refusal:
        raise AssertionError(refusal.response) from refusal
    with edge.client.exec(SHELL, "cat", stdin="true") as session:
        session.send(b"there")
        assert session.read_until(b"there") == b"there"
    assert edge.client.get(SHELL.path("logs/download")).status == 200
