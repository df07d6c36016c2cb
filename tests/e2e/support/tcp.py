"""A TCP peer on loopback: the thing that a pod listens with (contract §7: 127.0.0.1)."""
import socket

from support.waiting import TIMEOUT


class Listener:
    """A listening socket; accept() is the test's to call, so it sees what really arrives."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(TIMEOUT)
        self.port = self._socket.getsockname()[1]

    def accept(self):
        connection, _ = self._socket.accept()
        connection.settimeout(TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def close(self):
        self._socket.close()


def receive(connection, size):
    """Exactly `size` bytes, or fewer if the peer ends first."""
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def receive_all(connection):
    """Everything until the peer's end."""
    data = b""
    while more := connection.recv(1 << 16):
        data += more
    return data


def unused_port():
    """A port that nothing listens on: bound for a moment, then let go."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
