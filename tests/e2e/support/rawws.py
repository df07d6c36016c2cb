"""A WebSocket client on a bare socket: every bit of a frame is the test's to choose and to see."""
import base64
import dataclasses
import hashlib
import os
import socket
import struct
import time

from support.httpclient import Response, read_head
from support.waiting import TIMEOUT

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclasses.dataclass
class Frame:
    fin: bool
    rsv: int
    opcode: int
    payload: bytes


@dataclasses.dataclass(frozen=True)
class Closed:
    """How the server ended: its close frame, or code 1006 when there was none."""
    code: int
    reason: str = ""


class Refused(Exception):
    """The handshake was answered by something else than 101."""

    def __init__(self, response):
        super().__init__(f"{response.status}: {response.body[:300]!r}")
        self.response = response


def encode(opcode, payload=b"", fin=True, rsv=0, masked=True, length_bytes=None):
    """One frame. `length_bytes` (0, 2 or 8) forces the form of the length, minimal or not."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size, mask_bit = len(payload), 0x80 if masked else 0
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65536 else 8
    short = {0: size, 2: 126, 8: 127}[length_bytes]
    extended = size.to_bytes(8, "big")[8 - length_bytes:]
    head = bytes([first, mask_bit | short]) + extended
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + apply_mask(payload, key)


def apply_mask(payload, key):
    repeated = (key * (len(payload) // 4 + 1))[:len(payload)]
    xored = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return xored.to_bytes(len(payload), "big")


class RawWebSocket:
    """An open WebSocket. `answer_pings=False` makes it a peer that has gone silent; `closed` is what message() saw of
    the end."""

    def __init__(self, sock, buffered, handshake):
        self.sock = sock
        self.handshake = handshake
        self.answer_pings = True
        self.pings = []
        self.pongs = []
        self.closed = None
        self._buffer = bytearray(buffered)

    @property
    def subprotocol(self):
        return self.handshake.headers.get("sec-websocket-protocol")

    def send_raw(self, data):
        self.sock.sendall(data)

    def send(self, payload, opcode=BINARY, **options):
        self.send_raw(encode(opcode, payload, **options))

    def close(self, code=1000, reason=""):
        """Sends a Close; the answer comes by read_close()."""
        self.send(struct.pack("!H", code) + reason.encode(), CLOSE)

    def drop(self):
        """Vanishes: a reset without a Close."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def frame(self, timeout=TIMEOUT):
        """The next frame as it came, or None at the end of the connection."""
        end = time.monotonic() + timeout
        head = self._take(2, end)
        if head is None:
            return None
        size = head[1] & 0x7F
        assert not head[1] & 0x80, "the server masked a frame"
        if size == 126:
            size = struct.unpack("!H", self._take(2, end))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._take(8, end))[0]
        payload = self._take(size, end)
        if payload is None:
            return None
        return Frame(bool(head[0] & 0x80), head[0] >> 4 & 7, head[0] & 15, payload)

    def message(self, timeout=TIMEOUT):
        """The next data message as bytes, or Closed. Pings are answered, pongs kept."""
        end, parts = time.monotonic() + timeout, None
        while True:
            frame = self.frame(end - time.monotonic())
            if frame is None or frame.opcode == CLOSE:
                self.closed = Closed(1006) if frame is None else self._closed(frame)
                return self.closed
            assert frame.rsv == 0, frame
            if frame.opcode in (PING, PONG):
                self._control(frame)
                continue
            assert frame.opcode == (BINARY if parts is None else CONTINUATION), frame
            parts = (parts or []) + [frame.payload]
            if frame.fin:
                return b"".join(parts)

    def read_all(self, timeout=TIMEOUT):
        """All messages until the end: ([bytes, …], Closed)."""
        end, messages = time.monotonic() + timeout, []
        while not isinstance(item := self.message(end - time.monotonic()), Closed):
            messages.append(item)
        return messages, item

    def read_close(self, timeout=TIMEOUT):
        """How the session ends, whatever data comes before."""
        return self.read_all(timeout)[1]

    def read_until(self, text, timeout=TIMEOUT):
        """The bytes of all messages up to the one that completes `text`."""
        end, seen = time.monotonic() + timeout, b""
        while text not in seen:
            item = self.message(end - time.monotonic())
            assert not isinstance(item, Closed), f"{item} before {text!r}; came: {seen[-500:]!r}"
            seen += item
        return seen

    def ended(self, timeout=TIMEOUT):
        """True when the server has ended the TCP connection."""
        return self.frame(timeout) is None

    def _control(self, frame):
        (self.pings if frame.opcode == PING else self.pongs).append(frame.payload)
        if frame.opcode != PING or not self.answer_pings:
            return
        try:
            self.send(frame.payload, PONG)
        except OSError:
            pass  # the server may already have gone: what it sent before is still to be read

    def _closed(self, frame):
        if not frame.payload:
            return Closed(1005)
        code = struct.unpack("!H", frame.payload[:2])[0]
        assert len(frame.payload) <= 125, "a reason has at most 123 bytes"
        try:
            self.send(frame.payload[:2], CLOSE)
        except OSError:
            pass  # the server may already have gone
        return Closed(code, frame.payload[2:].decode())

    def _take(self, count, end):
        while len(self._buffer) < count:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{len(self._buffer)} of {count} bytes came in time")
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(max(65536, min(count, 1 << 20)))
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def handshake_request(host, target, headers, subprotocols=(), key=None):
    """The bytes of an upgrade request. Headers given by the test replace the usual ones."""
    usual = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
             "Sec-WebSocket-Key": key or base64.b64encode(os.urandom(16)).decode(),
             "Sec-WebSocket-Version": "13"}
    if subprotocols:
        usual["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
    lines = [f"{name}: {value}" for name, value in (usual | headers).items() if value is not None]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode()


def upgrade(sock, host, target, headers, subprotocols=()):
    """Upgrades a connected socket, or raises Refused with the answer."""
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(handshake_request(host, target, headers, subprotocols, key))
    response, rest = read_head(sock)
    if response.status != 101:
        response = Response(response.status, response.headers, read_body(sock, response, rest))
        sock.close()
        raise Refused(response)
    wanted = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
    assert response.headers["sec-websocket-accept"] == wanted
    assert response.headers["upgrade"].lower() == "websocket"
    assert response.headers["connection"].lower() == "upgrade"
    return RawWebSocket(sock, rest, response)


def read_body(sock, response, rest):
    size = int(response.headers["content-length"])
    while len(rest) < size:
        data = sock.recv(65536)
        assert data, "the body ended early"
        rest += data
    return bytes(rest[:size])
