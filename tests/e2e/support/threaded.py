"""A listener on loopback whose connections are each served by a thread: what proxies of the tests are made of."""
import socket
import threading


class ThreadedListener:
    """Begins at once; `serve(connection)` is for a subclass, which is made ready before it calls __init__()."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.serve(connection)
        except ConnectionError:
            pass  # the peer has gone


def read_head(connection):
    """Of an HTTP request, with the empty line."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if not (more := connection.recv(1)):
            raise ConnectionAbortedError("it ended before the end of the head")
        head += more
    return head


def join(one, other):
    """Passes on what either sends."""
    for source, sink in ((one, other), (other, one)):
        threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side is gone, and this one is told by its end
