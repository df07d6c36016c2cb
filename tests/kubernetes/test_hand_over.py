"""SIGUSR2 on a real cluster: an exec and a log follow live on in the old server, and no connection is refused."""
import os
import re
import signal
import threading

import pytest

from gateway import catalogue, eventually, numbers
from support.processes import with_argument

COUNT = "i=0; while :; do echo n $i; i=$((i+1)); sleep 0.02; done"
CONNECTIONS = 200


@pytest.fixture
def served(gateway, tmp_path):
    """A server of the test's own; whoever has taken over from it ends with the test."""
    server = gateway.serve(tmp_path, gateway.proxy)
    yield server
    for pid in with_argument(str(server.config)):
        os.kill(pid, signal.SIGKILL)
    server.process.wait()


def test_exec_and_follow_live_on_while_every_new_connection_is_served(gateway, served):
    workload = gateway.workload("counter", COUNT)
    client = type(gateway.client)(served, served.token("alice"))
    eventually(lambda: client.phase(workload) == "Running", "it is known", 30)
    with client.open(workload.path("logs"), {"follow": "true"}) as follow, \
            client.exec(workload, "cat", stdin="true") as echo:
        seen = numbers(follow, 20, 30)
        statuses, handed_over = [], threading.Event()

        def knock():
            while len(statuses) < CONNECTIONS or not handed_over.is_set():
                statuses.append(client.get(f"{catalogue.BASE}/status").status)

        knocking = threading.Thread(target=knock)
        knocking.start()
        served.signal(signal.SIGUSR2)
        found = eventually(lambda: re.search(r'"handed over","pid":(\d+)', served.output), "handed over", 40)
        handed_over.set()
        knocking.join()
        assert len(statuses) >= CONNECTIONS and set(statuses) == {200}
        echo.send(b"still here\n")
        assert echo.message() == b"still here\n"
        seen += numbers(follow, 100, 30)
        assert seen == list(range(seen[0], seen[0] + len(seen)))
        assert client.run(workload, "echo", "new")[0] == b"new\n"
        assert served.process.poll() is None
    assert served.process.wait(timeout=30) == 0  # with its last session
    assert client.run(workload, "echo", "new")[0] == b"new\n"
    assert int(found.group(1)) in with_argument(str(served.config))
