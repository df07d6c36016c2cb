"""An HTTP proxy that knows CONNECT (RFC 9110 9.3.6) and leads every name to one address."""
import socket
import threading


class ConnectProxy:
    """`asked` has the targets of all CONNECT requests; `refusal`, a status line's end, refuses them."""

    def __init__(self, target, refusal=None):
        self.asked = []
        self._target = target
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:{}".format(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        method, target, _ = head.decode().split("\r\n")[0].split(" ")
        assert method == "CONNECT"
        self.asked.append(target)
        if self._refusal:
            client.sendall(f"HTTP/1.1 {self._refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            client.close()
            return
        server = socket.create_connection(self._target)
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=pass_on, args=(source, sink), daemon=True).start()


def pass_on(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side is gone, and this one is told by its end
