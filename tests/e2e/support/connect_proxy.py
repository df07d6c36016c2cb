"""An HTTP proxy that knows CONNECT (RFC 9110 9.3.6) and leads every name to one address."""
import socket

from support.threaded import ThreadedListener, join, read_head


class ConnectProxy(ThreadedListener):
    """`asked` has the targets of all CONNECT requests, `authorizations` their Proxy-Authorization; `refusal`, a status
    line's end, refuses them."""

    def __init__(self, target, refusal=None):
        self.asked = []
        self.authorizations = []
        self._target = target
        self._refusal = refusal
        super().__init__()
        self.url = "http://{}:{}".format(*self.address)

    def serve(self, connection):
        request, *fields = read_head(connection).decode().split("\r\n")
        method, target, _ = request.split(" ")
        assert method == "CONNECT"
        self.asked.append(target)
        self.authorizations += [field.partition(": ")[2] for field in fields
                                if field.lower().startswith("proxy-authorization:")]
        if self._refusal:
            connection.sendall(f"HTTP/1.1 {self._refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            connection.close()
            return
        server = socket.create_connection(self._target)
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        join(connection, server)
