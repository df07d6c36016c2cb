"""HTTP/1.1 without conveniences: what the test asks for is what goes over the wire."""
import dataclasses
import http.client
import json
import socket

from support.waiting import TIMEOUT


@dataclasses.dataclass(frozen=True)
class Response:
    """An answer; header names in lower case."""
    status: int
    headers: dict
    body: bytes = b""

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        """The message of an error answer (contract §3)."""
        return self.json["message"]


def dial(address, tls=None, receive_buffer=None):
    """A connected socket to (host, port), through TLS when an ssl.SSLContext is given."""
    sock = socket.socket(socket.AF_INET)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(TIMEOUT)
    sock.connect(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(sock, server_hostname="localhost") if tls else sock


def request(address, method, target, headers, tls=None, body=None):
    """One request on a connection of its own; the target goes as it is."""
    connection = http.client.HTTPConnection(*address)
    connection.sock = dial(address, tls)
    # http.client refuses control characters and spaces itself; tests of those use raw_request.
    connection.request(method, target, body=body, headers=headers)
    answer = connection.getresponse()
    names = {name.lower(): value for name, value in answer.getheaders()}
    content = answer.read()
    connection.close()
    return Response(answer.status, names, content)


def read_head(sock):
    """The head of an answer and what came after it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        assert more, f"the connection ended before the end of the head: {data!r}"
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, value = line.split(":", 1)
        headers[name.lower()] = value.strip()
    return Response(int(first.split()[1]), headers), rest


def raw_request(address, data, tls=None):
    """Sends bytes as they are; the head of the answer and whatever comes until the end."""
    with dial(address, tls) as sock:
        sock.sendall(data)
        response, rest = read_head(sock)
        size = int(response.headers.get("content-length", 0))
        while len(rest) < size and (more := sock.recv(65536)):
            rest += more
        return Response(response.status, response.headers, rest)
