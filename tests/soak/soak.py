"""Many clients of all kinds at once, well behaved and not, while the backend changes; then the books are balanced.

Usage: soak.py [--minutes N] [--clients N] [--seed N] [--tls] [--sanitized] [--platform local|kubernetes]
[--logs api|kubelet-files]. SLUICED names the server; with sanitizers in it, it keeps freed memory on purpose, so that
its growth says nothing. On a cluster, which fails meanwhile, a session may end for that, and says so; there logs come
from the API server, or from the kubelet.
Prints what was done, and exits with 1 where a byte was wrong, or something of a client was left behind.
"""
import argparse
import pathlib
import random
import ssl
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))  # for its folder `support`
from balance import balance_of  # noqa: E402
from checked import wait_for_start  # noqa: E402
from local_stage import LocalStage  # noqa: E402
from records import Records  # noqa: E402
from support.certificates import Authority  # noqa: E402
from support.metrics import metrics  # noqa: E402
from support.waiting import eventually  # noqa: E402
from visitors import Visitors  # noqa: E402

CHANGE_EVERY = 2  # seconds
MAX_GROWTH = 16 << 10  # KiB of resident memory from a third of the time on; noise of allocators is below
SETTINGS = {"sessions": {"pingInterval": "1s", "idleTimeout": "3s"}}


def make_stage(folder, settings, arguments):
    """What the soak runs on: it makes a `server`, takes steps by `change`, ends them by `calm`, and says by
    `failed_since` whether a session may have been ended by one."""
    if arguments.platform == "local":
        return LocalStage(folder, settings)
    from cluster_stage import ClusterStage  # needs a cluster's kubectl
    return ClusterStage(folder, settings, arguments.logs)


def soak(folder, arguments):
    """What was wrong, in lines."""
    records, authority = Records(folder), Authority()
    settings = SETTINGS | records.settings | ({"tls": authority.issue(folder)} if arguments.tls else {})
    tls = ssl.create_default_context(cadata=authority.pem.decode()) if arguments.tls else None
    stage = make_stage(folder, settings, arguments)
    visitors = Visitors(stage, arguments.clients, arguments.seed, tls)
    try:
        wrong = run(stage, visitors, records, arguments)
    finally:
        code = stage.close()
        visitors.close()
        if code != 0:
            print(f"sluiced ended with {code}: {stage.server.output[-20000:]}")
    visitors.find(lambda: records.check(at_end=True))
    print(f"on record: {records.sessions} sessions, {records.recorded} recordings")
    if "Sanitizer" in stage.server.output or "runtime error" in stage.server.output:
        wrong.append(f"a sanitizer spoke: {stage.server.output[-5000:]}")
    return wrong + visitors.failures + ([f"sluiced ended with {code}"] if code else [])


def run(stage, visitors, records, arguments):
    """From a server at rest to one that is so again; what is wrong then, but for what visitors have found."""
    wait_for_start(visitors.client)
    before = eventually(lambda: settled(visitors.client), "the server is at rest", stage.SETTLED)
    warm = let_visit(stage, visitors, records, arguments)
    assert stage.server.is_running, "sluiced ended meanwhile"
    end = stage.server.status("VmRSS")
    wrong = []
    try:
        eventually(lambda: balance_of(visitors.client).is_within(before), "all is back where it was", stage.SETTLED)
    except AssertionError:
        wrong.append(f"left behind: {before} before, {balance_of(visitors.client)} after")
    if warm and not arguments.sanitized and end - warm > MAX_GROWTH:
        wrong.append(f"memory grew from {warm} to {end} KiB")
    if metrics(visitors.client)["sluice_escaped_exceptions"]:
        wrong.append("exceptions escaped from tasks")
    visitors.report()
    print(f"memory {warm} KiB after a third, {end} KiB at the end; {before}")
    return wrong


def let_visit(stage, visitors, records, arguments):
    """Until the time is over, or something is wrong; memory in KiB after a third of it."""
    begin, dice, warm = time.monotonic(), random.Random(arguments.seed), None
    visitors.start()
    while (passed := time.monotonic() - begin) < arguments.minutes * 60 and not visitors.stopped.is_set():
        visitors.find(lambda: stage.change(dice))
        visitors.find(records.check)
        if warm is None and passed >= arguments.minutes * 20:
            warm = stage.server.status("VmRSS")
        visitors.stopped.wait(CHANGE_EVERY)
    visitors.stop()
    stage.calm()
    return warm


def settled(client):
    """A balance that stays for a second."""
    before = balance_of(client)
    time.sleep(1)
    return before if balance_of(client) == before else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--platform", choices=["local", "kubernetes"], default="local")
    parser.add_argument("--logs", choices=["api", "kubelet-files"], default="api")
    arguments = parser.parse_args()
    print(f"{arguments.minutes} min, {arguments.clients} clients, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sluice-soak-") as folder:
        wrong = soak(pathlib.Path(folder), arguments)
    print("\n".join(wrong) or "all is back where it was")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
