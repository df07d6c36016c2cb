"""A TCP proxy that fails on command: it stands between sluiced and the API server."""
import socket
import struct
import threading

CHUNK = 65536


class Proxy:
    """Passes connections to `target` on; cut() resets them, stall() holds all bytes until resume()."""

    def __init__(self, target=("127.0.0.1", 443)):
        self.target = target
        self.cuts = 0  # connections that cut() has reset
        self._pairs = set()
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self):
        """Nothing passes, and nobody is told: a network that drops packets."""
        self._flowing.clear()

    def resume(self):
        self._flowing.set()

    def cut(self):
        """Resets every connection there is; new ones are taken as before."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            reset(*pair)
        self.cuts += len(pairs)

    def close(self):
        self._listener.close()
        self.cut()
        self.resume()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                pair = (client, socket.create_connection(self.target))
            except OSError:
                reset(client)
                continue
            with self._lock:
                self._pairs.add(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pass_on, args=(source, sink, pair), daemon=True).start()

    def _pass_on(self, source, sink, pair):
        try:
            while data := source.recv(CHUNK):
                self._flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            with self._lock:
                known = pair in self._pairs
                self._pairs.discard(pair)
            if known:
                reset(*pair)


def reset(*sockets):
    """Ends connections as a cut does, also for a thread that waits in recv()."""
    for one in sockets:
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself
        one.close()
