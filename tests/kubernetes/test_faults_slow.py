"""A way to the API server that is slow, stuck, or takes silence for the end. Pings are faster here than they usually
are, so that seconds stand for minutes."""
import socket
import time

import pytest

from gateway import catalogue, eventually
from support.proxy import Proxy
from support.client import Client
from support.rawws import Closed

RATE = 100_000  # bytes a second
IDLE = 4.0  # seconds after which the way is cut
PING = "800ms"  # three that stay unanswered are the end: a busy machine may need a second for one
PATIENCE = 60  # seconds until what must come has come
MIB = 1 << 20


@pytest.fixture(scope="module")
def quiet(gateway):
    return gateway.workload("quiet", "echo ready; read line; echo $line; " + catalogue.FOREVER, stdin=True)


@pytest.fixture
def through(gateway, tmp_path):
    """through(proxy, sessions) serves behind another proxy, until the test ends, and returns alice's client."""
    served, proxies = [], []

    def serve(proxy, sessions=None):
        proxies.append(proxy)
        served.append(gateway.serve(tmp_path, proxy, sessions, pingInterval=PING))
        client = Client(served[-1], served[-1].token("alice"))
        eventually(lambda: client.get(f"{catalogue.BASE}/status").json["status"] == "OK", "the cluster is known", 90)
        return client

    yield serve
    for proxy in proxies:
        proxy.close()
    for server in served:
        assert server.stop(timeout=60) == 0, server.output


def test_a_slow_way_holds_the_client_back_and_takes_no_memory(through, quiet):
    client = through(Proxy(bytes_per_second=RATE))
    with client.exec(quiet, "wc", "-c", stdin="true") as session:
        resident = client.server.status("VmRSS")
        session.sock.settimeout(3)
        sent = 0
        with pytest.raises(socket.timeout):
            while sent < 200 * MIB:
                session.send(bytes(65536))
                sent += 65536
        assert client.server.status("VmRSS") - resident < 16 * 1024  # KiB
        assert sent < 64 * MIB, "what the kernel's buffers on the way hold"


def test_output_over_a_slow_way_is_whole(through, quiet):
    client = through(Proxy(bytes_per_second=RATE))
    begin = time.monotonic()
    with client.exec(quiet, "sh", "-c", "seq 1 60000 | head -c 300000") as session:
        messages, closed = session.read_all(PATIENCE)
    assert closed == Closed(1000, "exit code 0")
    assert b"".join(messages) == b"".join(b"%d\n" % n for n in range(1, 60001))[:300000]
    assert time.monotonic() - begin > 1, "the way is slow"


def test_a_stuck_way_ends_sessions_and_says_why(through, quiet):
    proxy = Proxy()
    client = through(proxy)
    with client.exec(quiet, "sleep", "1000") as command, client.open(quiet.path("attach")) as attached:
        proxy.stall()
        for session in (command, attached):
            assert session.read_close(PATIENCE) == Closed(1011, "the cluster ended the stream: the connection is dead")
        proxy.resume()
    assert client.run(quiet, "echo", "here")[0] == b"here\n"


def test_a_session_on_a_stuck_way_ends_as_idle(through, quiet):
    proxy = Proxy()
    client = through(proxy, {"idleTimeout": "2s", "pingInterval": "30s"})
    with client.open(quiet.path("logs"), {"follow": "true"}) as follow:
        assert follow.read_until(b"ready\n")
        proxy.stall()
        assert follow.read_close(PATIENCE) == Closed(1001, "idle timeout")
        proxy.resume()


def test_silence_is_not_taken_for_the_end(through, quiet):
    proxy = Proxy(idle_timeout=IDLE)
    client = through(proxy)
    with client.open(quiet.path("logs"), {"follow": "true"}) as follow, \
            client.exec(quiet, "cat", stdin="true") as command:
        assert follow.read_until(b"ready\n")
        before = proxy.cuts
        eventually(lambda: proxy.cuts >= before + 4, "what is silent is cut", PATIENCE)  # watches and the log
        command.send(b"still there\n")
        assert command.read_until(b"still there\n", PATIENCE)
        with client.open(quiet.path("attach"), "stdin=true") as attached:
            attached.send(b"said at last\n")
            assert follow.read_until(b"said at last\n", PATIENCE) == b"said at last\n", "and nothing twice"


def test_a_client_behind_a_way_that_cuts_silence_is_kept(through, quiet):
    client = through(Proxy(), {"pingInterval": PING})
    outside = Proxy(target=client.server.address, idle_timeout=IDLE)
    direct = client.server.addresses
    client.server.addresses = [("127.0.0.1", outside.port)]
    with client.exec(quiet, "sh", "-c", f"sleep {1.5 * IDLE}; echo done") as command:
        assert command.read_until(b"done\n", PATIENCE)
    client.server.addresses = direct
    outside.close()
