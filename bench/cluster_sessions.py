"""The rows of a cluster's size and of many sessions: memory, time to be ready, latency of answers."""
import http.client
import json
import subprocess
import time

from crowd import PODS_EACH, WORKLOADS, crowd
from stand import percentile, resident_kib
from support.catalogue import Workload, shell
from support.waiting import eventually
from table import Result, at_most, reported

TICKER = Workload("every-second", (shell("while :; do date; sleep 1; done"),))
INOTIFY = "/proc/sys/fs/inotify/max_user_instances"


def answer(address, path, token=None):
    """The status of a GET."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status
    finally:
        connection.close()


def milliseconds_of_requests(address, paths, token):
    """How long each takes, one after the other on one connection."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    taken = []
    for path in paths:
        begin = time.monotonic()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        response.read()
        taken.append((time.monotonic() - begin) * 1000)
        assert response.status == 200, f"{path}: {response.status}"
    connection.close()
    return taken


def scale(stand):
    """Its status is asked for after it is ready; before, nothing of the cluster is known."""
    with crowd(stand.cluster.token.read_text(), int(WORKLOADS * stand.scale)) as workloads:
        pods = len(workloads) * PODS_EACH
        begin = time.monotonic()
        server, _, token = stand.sluiced()
        eventually(lambda: answer(server.admin, "/readyz") == 200, "ready", 60)
        seconds = time.monotonic() - begin
        yield reported(f"from start to all of {pods:,} pods and {len(workloads):,} workloads known", f"{seconds:.2f} s")
        time.sleep(2)  # what the lists took is given back
        mebibytes = resident_kib(server.pid) / 1024
        yield at_most(f"resident memory with {pods:,} pods cached", mebibytes, 40, "MiB")
        for name, paths in (("a workload", [workload.path("status") for workload in workloads] * 2),
                            ("the cluster", ["/cluster-api/status"] * 2000)):
            taken = milliseconds_of_requests(server.address, paths, token.read_text())
            yield reported(f"status of {name}, p99 of {len(paths):,} requests", f"{percentile(taken, 0.99):.2f} ms")


class Inotify:
    """A kubelet needs one of these for each log that is followed; nodes for many have more than Linux's 128."""

    def __init__(self, wanted):
        self.wanted = wanted

    def __enter__(self):
        with open(INOTIFY, encoding="ascii") as file:
            self.before = int(file.read())
        self.set(max(self.before, self.wanted))

    def __exit__(self, *_):
        self.set(self.before)

    @staticmethod
    def set(value):
        with open(INOTIFY, "w", encoding="ascii") as file:
            file.write(str(value))


def follows(stand):
    """Of one log, each by a request of its own to the API server, or to the kubelet."""
    stand.create(TICKER)
    count = int(1000 * stand.scale)
    with Inotify(8192):
        yield from follows_by("api", "the API", stand, count)
    yield from follows_by("kubelet-files", "the kubelet's files", stand, count)


def follows_by(way, name, stand, count):
    server, port, token = stand.sluiced(logs=way)
    path = TICKER.path("logs") + "?follow=true&tailLines=0"
    for sessions in (10, count):  # a first few warm up what is allocated once
        before = resident_kib(server.pid)
        client = stand.start(stand.build / "load", "follow", port, sessions, 60, path, token, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
        served = client.stdout.readline()
        after = resident_kib(server.pid)
        client.stdin.close()
        client.wait(timeout=60)
    served = json.loads(served)["served"] if served else 0  # none: it was refused a session
    yield Result(f"{count:,} follows by {name}: served a live line", f"{served:,}", "", "", f"{count:,}",
                 served == count)
    yield reported("resident memory of each", f"{(after - before) / count:.1f} KiB")
