"""Many connections that each send a line and want it back."""
import concurrent.futures
import socket
import socketserver
import threading

CONNECTIONS = 1000
AT_ONCE = 20


class Echo:
    """Sends back what it gets, on a port of this machine."""

    def __enter__(self):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                while received := self.request.recv(4096):
                    self.request.sendall(received)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def exchange_all(port):
    """How many of the connections did not bring back what was sent."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(not good for good in pool.map(lambda serial: exchange(int(port), serial), range(CONNECTIONS)))


def exchange(port, serial):
    sent = f"connection {serial}\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.settimeout(30)
            connection.sendall(sent)
            received = b""
            while len(received) < len(sent):
                block = connection.recv(4096)
                if not block:
                    return False
                received += block
            return received == sent
    except OSError:
        return False
