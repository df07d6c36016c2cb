"""Many clients of all kinds at once, well behaved and not, while the backend changes; then the books are balanced.

Usage: soak.py [--minutes N] [--clients N] [--seed N] [--sanitized] [--platform local|kubernetes]
[--logs api|kubelet-files]. SLUICED names the server; with sanitizers in it, it keeps freed memory on purpose, so that
its growth says nothing. On a cluster, which fails meanwhile, a session may end for that, and says so; there logs come
from the API server, or from the kubelet.
Prints what was done, and exits with 1 where a byte was wrong, or something of a client was left behind.
"""
import argparse
import collections
import pathlib
import random
import sys
import tempfile
import threading
import time
import traceback

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))  # for its folder `support`
import checked  # noqa: E402
from balance import balance_of  # noqa: E402
from local_stage import LocalStage  # noqa: E402
from records import Records  # noqa: E402
from support.client import Client  # noqa: E402
from support.metrics import metrics  # noqa: E402
from support.threaded import ThreadedListener  # noqa: E402
from support.waiting import eventually  # noqa: E402
from witness import Witness  # noqa: E402

CHANGE_EVERY = 2  # seconds
OUTLIVING = ("follow_logs",)  # failures of the backend; others may end for them
SETTINGS = {"sessions": {"pingInterval": "1s", "idleTimeout": "3s"}}
MAX_GROWTH = 16 << 10  # KiB of resident memory from a third of the time on; noise of allocators is below
WEIGHTS = {"read_logs": 6, "download_logs": 4, "follow_logs": 4, "follow_slowly": 2, "echo_bytes": 6,
           "abandon_command": 3, "use_terminal": 2, "attach_in_silence": 1, "ask": 6, "talk_nonsense": 3,
           "visit_churned": 3}


class Soak:
    def __init__(self, stage, records, arguments, echo_port):
        self.stage = stage
        self.records = records
        self.server = stage.server
        self.token = self.server.token("alice", ttl="24h")
        self.client = Client(self.server, self.token)
        self.arguments = arguments
        self.stopped = threading.Event()
        self.visits = collections.Counter()
        self.interrupted = collections.Counter()  # by a failure that the client was told of
        self.told = collections.Counter()
        self.checked_bytes = 0
        self.failures = []
        self.lock = threading.Lock()
        self.kinds = {name: getattr(checked, name) for name in WEIGHTS}
        self.kinds["forward_port"] = checked.forward_port(echo_port)
        self.weights = WEIGHTS | {"forward_port": 4}

    def run(self):
        """Until the time is over; memory in KiB after a third of it, and at its end."""
        seconds = self.arguments.minutes * 60
        clients = [threading.Thread(target=self.visit_on, args=(number,)) for number in range(self.arguments.clients)]
        for thread in clients:
            thread.start()
        begin, dice = time.monotonic(), random.Random(self.arguments.seed)
        warm = None
        while (passed := time.monotonic() - begin) < seconds and not self.failures and self.server.is_running:
            self.stage.change(dice)
            self.find(self.records.check)
            if warm is None and passed >= seconds / 3:
                warm = self.server.status("VmRSS")
            self.stopped.wait(CHANGE_EVERY)
        self.stopped.set()
        for thread in clients:
            thread.join()
        assert self.server.is_running, "sluiced ended meanwhile"
        self.stage.calm()
        return warm, self.server.status("VmRSS")

    def find(self, check):
        """What a check finds wrong."""
        try:
            check()
        except Exception:  # as of a visit
            with self.lock:
                self.failures.append(traceback.format_exc())

    def visit_on(self, number):
        dice = random.Random(self.arguments.seed * 1000 + number)
        names, weights = list(self.weights), list(self.weights.values())
        while not self.stopped.is_set():
            (name,) = dice.choices(names, weights)
            self.visit(name, dice)

    def visit(self, name, dice):
        client, begin = Witness(self.server, self.token), time.monotonic()
        try:
            count = self.kinds[name](client, dice)
        except Exception:  # whatever it is, it is a finding, unless the client knows better
            told = None
            if self.stage.failed_since(begin):
                told = client.refusal() or (client.end() if name not in OUTLIVING else None)
            with self.lock:
                if told:
                    self.interrupted[name] += 1
                    self.told[told] += 1
                    return
                self.failures.append(f"{name}: {traceback.format_exc()}")
            self.stopped.set()
            return
        with self.lock:
            self.visits[name] += 1
            self.checked_bytes += count


class Echo(ThreadedListener):
    """The pods' side of forward_port()."""

    serve = staticmethod(checked.answer_echo)


def soak(stage, records, arguments):
    """What was wrong, in lines."""
    echo = Echo()
    try:
        checks = Soak(stage, records, arguments, echo.address[1])
        checked.wait_for_start(checks.client)
        before = eventually(lambda: settled(checks.client), "the server is at rest", stage.SETTLED)
        warm, end = checks.run()
        report = []
        try:
            eventually(lambda: balance_of(checks.client).is_within(before), "all is back where it was", stage.SETTLED)
        except AssertionError:
            report.append(f"left behind: {before} before, {balance_of(checks.client)} after")
        if warm and not arguments.sanitized and end - warm > MAX_GROWTH:
            report.append(f"memory grew from {warm} to {end} KiB")
        if metrics(checks.client)["sluice_escaped_exceptions"]:
            report.append("exceptions escaped from tasks")
        print(f"{sum(checks.visits.values())} visits, {checks.checked_bytes / 1e6:.0f} MB checked; memory {warm} KiB "
              f"after a third, {end} KiB at the end; {before}")
        print(f"ended well: {listed(checks.visits)}")
        print(f"interrupted by a failure that was told: {listed(checks.interrupted)}")
        print(f"in these words: {listed(checks.told)}")
    finally:
        code = stage.close()
        echo.close()
        if code != 0:
            print(f"sluiced ended with {code}: {stage.server.output[-20000:]}")
    checks.find(lambda: records.check(at_end=True))
    print(f"on record: {records.sessions} sessions, {records.recorded} recordings")
    report += checks.failures
    if code != 0:
        report.append(f"sluiced ended with {code}")
    if "Sanitizer" in stage.server.output or "runtime error" in stage.server.output:
        report.append(f"a sanitizer spoke: {stage.server.output[-5000:]}")
    return report


def listed(counts):
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items())) or "none"


def settled(client):
    """A balance that stays for a second."""
    before = balance_of(client)
    time.sleep(1)
    return before if balance_of(client) == before else None


def make_stage(folder, settings, arguments):
    """What the soak runs on: it makes a `server`, takes steps by `change`, ends them by `calm`, and says by
    `failed_since` whether a session may have been ended by one."""
    if arguments.platform == "local":
        return LocalStage(folder, settings)
    from cluster_stage import ClusterStage  # needs a cluster's kubectl
    return ClusterStage(folder, settings, arguments.logs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--platform", choices=["local", "kubernetes"], default="local")
    parser.add_argument("--logs", choices=["api", "kubelet-files"], default="api")
    arguments = parser.parse_args()
    print(f"{arguments.minutes} min, {arguments.clients} clients, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sluice-soak-") as folder:
        records = Records(pathlib.Path(folder))
        stage = make_stage(pathlib.Path(folder), SETTINGS | records.settings, arguments)
        report = soak(stage, records, arguments)
    print("\n".join(report) or "all is back where it was")
    return 1 if report else 0


if __name__ == "__main__":
    sys.exit(main())
