"""The clients of the soak: each makes one visit after the other, until all are to stop or one finds something wrong."""
import collections
import random
import threading
import time
import traceback

import checked
from support.client import Client
from support.threaded import ThreadedListener
from witness import Witness

OUTLIVING = ("follow_logs",)  # failures of the backend; others may end for them
WEIGHTS = {"read_logs": 6, "download_logs": 4, "follow_logs": 4, "follow_slowly": 2, "echo_bytes": 6,
           "abandon_command": 3, "use_terminal": 2, "attach_in_silence": 1, "ask": 6, "talk_nonsense": 3,
           "visit_churned": 3, "forward_port": 4}


class Echo(ThreadedListener):
    """The pods' side of forward_port()."""

    serve = staticmethod(checked.answer_echo)


class Visitors:
    """`client` is one of them that looks on; `failures` are what they have found, in words."""

    def __init__(self, stage, count, seed, tls):
        self.client = Client(stage.server, stage.server.token("alice", ttl="24h"), tls)
        self.stopped = threading.Event()
        self.failures = []
        self._stage = stage
        self._seed = seed
        self._visits = collections.Counter()
        self._interrupted = collections.Counter()  # by a failure that the client was told of
        self._told = collections.Counter()
        self._checked_bytes = 0
        self._lock = threading.Lock()
        self._echo = Echo()
        self._kinds = {name: getattr(checked, name) for name in WEIGHTS if name != "forward_port"}
        self._kinds["forward_port"] = checked.forward_port(self._echo.address[1])
        self._threads = [threading.Thread(target=self._visit_on, args=(number,)) for number in range(count)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Waits for what is under way."""
        self.stopped.set()
        for thread in self._threads:
            thread.join()

    def close(self):
        self._echo.close()

    def find(self, check):
        """What a check finds wrong is a failure of theirs, and stops them."""
        try:
            check()
        except Exception:  # whatever it is
            self._fail(traceback.format_exc())

    def report(self):
        print(f"{self._visits.total()} visits, {self._checked_bytes / 1e6:.0f} MB checked")
        print(f"ended well: {listed(self._visits)}")
        print(f"interrupted by a failure that was told: {listed(self._interrupted)}")
        print(f"in these words: {listed(self._told)}")

    def _visit_on(self, number):
        dice = random.Random(self._seed * 1000 + number)
        while not self.stopped.is_set():
            (name,) = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))
            self._visit(name, dice)

    def _visit(self, name, dice):
        client, begin = Witness(self.client.server, self.client.token, self.client.tls), time.monotonic()
        try:
            count = self._kinds[name](client, dice)
        except Exception:  # whatever it is, it is a finding, unless the client knows better
            self._excuse(name, client, begin, traceback.format_exc())
            return
        with self._lock:
            self._visits[name] += 1
            self._checked_bytes += count

    def _excuse(self, name, client, begin, words):
        told = None
        if self._stage.failed_since(begin):
            told = client.refusal() or (client.end() if name not in OUTLIVING else None)
        if told is None:
            self._fail(f"{name}: {words}")
            return
        with self._lock:
            self._interrupted[name] += 1
            self._told[told] += 1

    def _fail(self, words):
        with self._lock:
            self.failures.append(words)
        self.stopped.set()


def listed(counts):
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items())) or "none"
