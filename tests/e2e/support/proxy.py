"""A TCP proxy that fails on command: it stands between two that should be able to bear it."""
import socket
import struct
import threading
import time

CHUNK = 65536
IDLE_TICKS = 10  # in an idle timeout


class Proxy:
    """Passes connections to `target` on; cut() resets them, stall() holds all bytes until resume(), stall_after(COUNT)
    does so by itself.

    `bytes_per_second` throttles each direction of each connection, `idle_timeout` (seconds) cuts connections on which
    nothing passes for so long, as load balancers do.
    """

    def __init__(self, target=("127.0.0.1", 443), bytes_per_second=None, idle_timeout=None):
        self.target = target
        self.bytes_per_second = bytes_per_second
        self.idle_timeout = idle_timeout
        self.cuts = 0  # connections that cut() has reset
        self._pairs = {}  # how many ticks ago something passed
        self._half_ended = set()  # those of which one direction has ended
        self._left = None  # bytes until it stalls by itself
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        if bytes_per_second:  # what the kernel holds is not throttled
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        if idle_timeout:
            threading.Thread(target=self._cut_idle, daemon=True).start()

    @property
    def connections(self):
        """How many there are now."""
        with self._lock:
            return len(self._pairs)

    def stall(self):
        """Nothing passes, and nobody is told: a network that drops packets."""
        self._flowing.clear()

    def stall_after(self, count):
        """Stalls when about so many bytes more have passed, so that nobody has to be quick to see the middle. None: it
        doesn't."""
        with self._lock:
            self._left = count

    @property
    def is_stalled(self):
        return not self._flowing.is_set()

    def resume(self):
        self._flowing.set()

    def cut(self):
        """Resets every connection there is; new ones are taken as before."""
        with self._lock:
            pairs, self._pairs = self._pairs, {}
            self._half_ended.clear()
        self._reset(pairs)

    def _reset(self, pairs):
        for pair in pairs:
            reset(*pair)
        self.cuts += len(pairs)

    def _cut_idle(self):
        """Counts ticks, not seconds: a machine that stood still for a while shows nothing of a connection."""
        while True:
            time.sleep(self.idle_timeout / IDLE_TICKS)
            with self._lock:
                self._pairs = {pair: ticks + 1 for pair, ticks in self._pairs.items()}
                idle = [pair for pair, ticks in self._pairs.items() if ticks > IDLE_TICKS]
                for pair in idle:
                    self._forget(pair)
            self._reset(idle)

    def _note(self, pair, size):
        with self._lock:
            if pair in self._pairs:
                self._pairs[pair] = 0
            if self._left is not None:
                self._left -= size
                if self._left <= 0:
                    self._left = None
                    self._flowing.clear()

    def _forget(self, pair):
        """With the lock; whether it was known."""
        self._half_ended.discard(pair)
        return self._pairs.pop(pair, None) is not None

    def _end(self, pair):
        """One direction has ended in order; both: the connection has."""
        with self._lock:
            if pair in self._pairs and pair not in self._half_ended:
                self._half_ended.add(pair)
                return
            known = self._forget(pair)
        if known:
            for one in pair:
                one.close()

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
                self._pairs[pair] = 0
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pass_on, args=(source, sink, pair), daemon=True).start()

    def _pass_on(self, source, sink, pair):
        try:
            chunk = self.bytes_per_second // 50 if self.bytes_per_second else CHUNK
            while data := source.recv(chunk):
                self._flowing.wait()
                sink.sendall(data)
                self._note(pair, len(data))
                if self.bytes_per_second:
                    time.sleep(len(data) / self.bytes_per_second)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            with self._lock:
                known = self._forget(pair)
            if known:
                reset(*pair)
        else:
            self._end(pair)


def reset(*sockets):
    """Ends connections as a cut does, also for a thread that waits in recv()."""
    for one in sockets:
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself
        one.close()
