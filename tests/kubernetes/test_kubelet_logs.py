"""Logs by the kubelet's files against those by the API server: the same bytes, of the same pod."""
import pathlib
import time

import pytest

import cluster
from support import catalogue
from support.client import Client
from support.kubernetes import DEPLOY, KubernetesBackend, namespace_of
from support.runai_objects import described, pod_name, pod_of
from support.waiting import eventually

MAX_FILE = 10 << 20  # the kubelet's default
COUNT = 300_000  # lines of 150 bytes: several log files, in parts that come at full speed
PATIENCE = 60  # seconds until what must come has come
# It begins once it is told to: a node that rotates the log often enough before anybody reads drops its first lines.
NUMBERS = f"""pad=$(head -c 140 /dev/zero | tr '\\0' x); until [ -e /tmp/go ]; do sleep 0.05; done
for part in 0 1 2 3 4 5 6 7 8 9; do
  seq $((part * {COUNT // 10} + 1)) $(((part + 1) * {COUNT // 10})) | sed "s/$/ $pad/"; sleep 1
done; sleep inf"""
MIXED = catalogue.Workload("mixed", (catalogue.shell(
    "echo one; sleep 1; echo two >&2; sleep 1; head -c 50000 /dev/zero | tr '\\0' x; echo; "
    "printf 'caf\\303\\251\\n'; sleep inf"),))
RESTARTED = catalogue.Workload("restarted", (catalogue.shell(
    "trap 'exit 1' TERM; read -r now _ </proc/uptime; echo began at $now; while :; do sleep 0.05; done",
    restart="Always"),))
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
        servers[way] = backend.serve(folder / way, MIXED, NUMBERED, RESTARTED, backend=settings).start()
    made = {way: Client(server, server.token("alice")).settle(MIXED, NUMBERED, RESTARTED)
            for way, server in servers.items()}
    eventually(lambda: download(made["api"], MIXED).endswith(b"caf\xc3\xa9\n"), "all of it is logged", PATIENCE)
    yield made
    for server in servers.values():
        assert server.stop(timeout=60) == 0, server.output
    cluster.kubectl("delete", "-f", str(DEPLOY / "rbac-kubelet-logs.yaml"))
    backend.close()


def log_folder(workload):
    folder, = pathlib.Path("/var/log/pods").glob(f"{namespace_of(workload.project)}_{pod_name(workload)}_*/main")
    return folder


def has_compressed_files(workload):
    return any(log_folder(workload).glob("*.gz"))


def download(client, workload, **query):
    answer = client.get(workload.path("logs/download"), query)
    assert answer.status == 200, answer.body
    return answer.body


@pytest.fixture(scope="module")
def restarted(clients):
    """RESTARTED is in its second run, as either server knows, and has logged something again."""
    target = ("-n", namespace_of(RESTARTED.project), pod_name(RESTARTED))
    cluster.kubectl("exec", *target, "--", "kill", "1")
    for client in clients.values():
        eventually(lambda one=client: has_two_runs(one), "the second run is known", PATIENCE)


def has_two_runs(client):
    """Whether the log of the run before differs from what the present one has logged."""
    now, before = (client.get(RESTARTED.path("logs/download"), query) for query in ({}, {"previous": "true"}))
    return {now.status, before.status} == {200} and b"" != now.body != before.body


@pytest.mark.parametrize("query", [{}, {"timestamps": "true"}, {"limitBytes": "20"}, {"sinceSeconds": "3600"},
                                   {"tailLines": "1"}, {"tailLines": "100"}, {"tailLines": "0"}], ids=str)
def test_both_ways_give_the_same_bytes(clients, query):
    bodies = [download(client, MIXED, **query) for client in clients.values()]
    assert bodies[0] == bodies[1] and (len(bodies[0]) > 3 or query == {"tailLines": "0"})


@pytest.mark.parametrize("query", [{}, {"previous": "true"}, {"tailLines": "3"}], ids=str)
def test_both_ways_read_the_same_run(clients, restarted, query):
    bodies = [download(client, RESTARTED, **query) for client in clients.values()]
    assert bodies[0] == bodies[1] and len(bodies[0]) > 3


def test_a_line_in_parts_counts_once(clients):
    assert download(clients["kubelet-files"], MIXED, tailLines="2") == b"x" * 50_000 + b"\ncaf\xc3\xa9\n"


def let_it_write(clients):
    clients["api"].run(NUMBERED, "touch", "/tmp/go")


def numbers_in(text):
    return [int(line.split()[0]) for line in text.splitlines()]


def test_a_follow_loses_and_repeats_nothing_over_rotation(clients):
    with clients["kubelet-files"].open(NUMBERED.path("logs"), {"follow": "true"}) as session:
        let_it_write(clients)
        parts, lines, deadline = [], 0, time.monotonic() + 300
        while lines < COUNT and time.monotonic() < deadline:
            parts.append(session.message(PATIENCE))
            lines += parts[-1].count(b"\n")
    assert numbers_in(b"".join(parts)) == list(range(1, COUNT + 1))
    assert has_compressed_files(NUMBERED), "else the test shows too little"


def test_a_log_is_read_back_through_compressed_files(clients):
    """All that the node has, and any part of it, once there is nothing more to rotate."""
    files = clients["kubelet-files"]
    let_it_write(clients)
    eventually(lambda: download(files, NUMBERED, tailLines="1").startswith(b"%d " % COUNT), "all is written", 300)
    eventually(lambda: (log_folder(NUMBERED) / "0.log").stat().st_size < MAX_FILE, "the last file stays", PATIENCE)
    assert has_compressed_files(NUMBERED), "else the test shows too little"
    whole = download(files, NUMBERED)
    numbers = numbers_in(whole)
    assert numbers == list(range(numbers[0], COUNT + 1)) and len(whole) > 2 * MAX_FILE
    assert len(download(clients["api"], NUMBERED)) < len(whole)
    for count in (1, 1000, len(numbers) // 2, len(numbers) - 1):
        tail = download(files, NUMBERED, tailLines=str(count))
        assert whole.endswith(tail) and tail.count(b"\n") == count
    for index in (10, len(numbers) // 2, len(numbers) - 10):
        stamp = download(files, NUMBERED, timestamps="true").splitlines()[index].split()[0].decode()
        since = download(files, NUMBERED, sinceTime=stamp)
        assert whole.endswith(since) and abs(since.count(b"\n") - (len(numbers) - index)) < 1000
        assert numbers_in(since)[0] <= numbers[index]


def test_a_container_that_has_yet_to_begin_is_waited_for(clients):
    """Its pod waits for a node that nobody has; then for an init container."""
    late = catalogue.Workload("late", (catalogue.shell("echo begun; echo done; sleep inf"),))
    owner, = cluster.apply([described(late)])
    pod = pod_of(late, 0, owner["metadata"]["uid"])
    pod["spec"]["nodeSelector"] = {"nobody": "has"}
    pod["spec"]["initContainers"] = [{"name": "init", "image": pod["spec"]["containers"][0]["image"],
                                      "command": ["sleep", "3"]}]
    cluster.apply([pod])
    client = clients["kubelet-files"]
    eventually(lambda: client.get(late.path("pods")).json.get("pods"), "the workload's pod is known", PATIENCE)
    with client.open(late.path("logs"), {"follow": "true"}) as session:
        cluster.kubectl("label", "node", "--all", "nobody=has", "--overwrite")
        assert session.message(PATIENCE) == b"begun\n"
        assert session.message(PATIENCE) == b"done\n"
        cluster.kubectl("delete", "pod", "-n", pod["metadata"]["namespace"], pod["metadata"]["name"], "--wait=false")
        closed = session.read_all(PATIENCE)[1]
    assert (closed.code, closed.reason) == (1001, "pod deleted")
