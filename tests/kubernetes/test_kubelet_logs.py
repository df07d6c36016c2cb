"""Logs by the kubelet's files against those by the API server: the same bytes, of the same pod."""
import time

import pytest

import cluster
from support import catalogue
from support.client import Client
from support.kubernetes import DEPLOY, KubernetesBackend

COUNT = 100_000  # lines of 150 bytes: beyond the size of a log file, in parts, so that it is seen to be
NUMBERS = f"""pad=$(head -c 140 /dev/zero | tr '\\0' x)
for part in 0 1 2 3 4 5 6 7 8 9; do
  seq $((part * {COUNT // 10} + 1)) $(((part + 1) * {COUNT // 10})) | sed "s/$/ $pad/"; sleep 1
done; sleep inf"""
MIXED = catalogue.Workload("mixed", (catalogue.shell(
    "echo one; echo two >&2; head -c 50000 /dev/zero | tr '\\0' x; echo; printf 'caf\\303\\251\\n'; sleep inf"),))
NUMBERED = catalogue.Workload("numbered", (catalogue.shell(NUMBERS),))


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """alice, of a server for each way."""
    folder = tmp_path_factory.mktemp("ways")
    backend = KubernetesBackend(folder, "impersonate")
    cluster.kubectl("apply", "-f", str(DEPLOY / "rbac-kubelet-logs.yaml"))
    servers = {}
    for way in ("api", "kubelet-files"):
        (folder / way).mkdir()
        settings = backend.settings()["backend"]
        settings["kubernetes"]["logs"] = way
        servers[way] = backend.serve(folder / way, MIXED, NUMBERED, backend=settings).start()
    made = {way: Client(server, server.token("alice")) for way, server in servers.items()}
    yield made
    for server in servers.values():
        assert server.stop(timeout=60) == 0, server.output
    cluster.kubectl("delete", "-f", str(DEPLOY / "rbac-kubelet-logs.yaml"))
    backend.close()


def download(client, workload, **query):
    answer = client.get(workload.path("logs/download"), query)
    assert answer.status == 200, answer.body
    return answer.body


@pytest.mark.parametrize("query", [{}, {"timestamps": "true"}, {"limitBytes": "20"}, {"sinceSeconds": "3600"},
                                   {"tailLines": "2"}], ids=str)
def test_both_ways_give_the_same_bytes(clients, query):
    bodies = [download(client, MIXED, **query) for client in clients.values()]
    assert bodies[0] == bodies[1] and len(bodies[0]) > 10


def test_a_follow_loses_and_repeats_nothing_over_rotation(clients):
    with clients["kubelet-files"].open(NUMBERED.path("logs"), {"follow": "true"}) as session:
        parts, lines, deadline = [], 0, time.monotonic() + 60
        while lines < COUNT and time.monotonic() < deadline:
            parts.append(session.message())
            lines += parts[-1].count(b"\n")
    received = b"".join(parts)
    numbers = [int(line.split()[0]) for line in received.splitlines()]
    assert numbers == list(range(1, COUNT + 1))
    whole = download(clients["kubelet-files"], NUMBERED)
    assert received.endswith(whole)  # back past rotation, to the oldest file that isn't compressed
    assert len(download(clients["api"], NUMBERED)) < len(whole)
