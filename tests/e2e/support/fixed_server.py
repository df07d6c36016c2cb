"""A server that says what a test wants it to, whatever it is asked for."""
import json

from support.threaded import ThreadedListener, read_head


class FixedServer(ThreadedListener):
    """`answers` has (status, body) by the path's end; a body that is no str goes out as JSON. What it doesn't have is
    answered as Go's HTTP servers do. `asked` has the paths."""

    def __init__(self, answers):
        self._answers = answers
        self.asked = []
        super().__init__()
        self.url = "http://{}:{}/cluster-api".format(*self.address)

    def serve(self, connection):
        path = read_head(connection).split(b" ")[1].decode().partition("?")[0]
        self.asked.append(path)
        status, body = next((answer for end, answer in self._answers.items() if path.endswith(end)),
                            (404, "404 page not found\n"))
        kind = "text/plain" if isinstance(body, str) else "application/json"
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n"
                           f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content)
        connection.close()
