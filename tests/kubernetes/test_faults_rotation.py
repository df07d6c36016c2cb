"""A log that is rotated while it is read by the API, and while the way to the API server is cut again and again."""
import os
import pathlib
import uuid

import pytest

import cluster
from gateway import namespace_of
from support.rawws import Closed

PARTS, PART = 12, 30_000  # lines of 150 bytes; files of 10 MiB are rotated, so that there are several
PAUSE = 2  # seconds between parts
LOST = Closed(1011, "log lines lost")
CUT_EVERY = 17_000  # lines: within a part, and between two
MENDED = 60  # seconds until a follow goes on, or has ended
# It writes each part at full speed once it is told to, with pauses in between, and then a line a second: only by a
# newer line can a follow know that the kubelet waits at the end of a file that was rotated.
NUMBERS = f"""pad=$(head -c 140 /dev/zero | tr '\\0' x); part=0
while [ $part -lt {PARTS} ]; do
  until [ -e /tmp/$part ]; do sleep 0.05; done
  seq $((part * {PART} + 1)) $(((part + 1) * {PART})) | sed "s/$/ $pad/"; part=$((part + 1)); sleep {PAUSE}
done
i={PARTS * PART}; while :; do i=$((i + 1)); echo $i $pad; sleep 1; done"""
KUBELET = pathlib.Path(os.environ["KUBECONFIG"]).with_name("kubelet.yaml")


@pytest.fixture
def usual_rotation():
    """The kubelet looks for logs to rotate as often as it does where nobody sets it. One that looks more often may
    leave a whole file out of a follow that is behind, which by the API nobody can notice."""
    before = KUBELET.read_text()
    changed = before.replace("containerLogMonitorInterval: 3s", "containerLogMonitorInterval: 10s")
    assert changed != before
    KUBELET.write_text(changed)
    cluster.component("restart", "kubelet")
    yield
    KUBELET.write_text(before)
    cluster.component("restart", "kubelet")


def read_lines(session, wanted, proxy, let_write):
    """The text that comes until so many lines have, or the session ends; and how it ended. The way to the API server
    is cut whenever CUT_EVERY lines have come: by the clock, a slow machine might never come as far as the next one.
    Each part is written when the one before has come: of a follow that is a whole file behind, the kubelet may leave
    that one out."""
    received, newlines, next_cut = [], 0, CUT_EVERY
    while newlines < wanted:
        if newlines % PART == 0:
            let_write(newlines // PART)
        message = session.message(MENDED)
        if isinstance(message, Closed):
            return b"".join(received), message
        received.append(message)
        newlines += message.count(b"\n")
        if newlines >= next_cut:
            proxy.cut()
            next_cut = newlines + CUT_EVERY
    return b"".join(received), None


def files_of(gateway, workload):
    """How many files the node has of its log."""
    folder, = pathlib.Path("/var/log/pods").glob(f"{namespace_of(gateway.project)}_{workload.name}-0-0_*/main")
    return len(list(folder.iterdir()))


def test_a_follow_loses_and_repeats_nothing_over_cuts_and_rotation_or_says_so(gateway, proxy, usual_rotation):
    workload = gateway.workload(f"rotated-{uuid.uuid4().hex[:8]}", NUMBERS)
    pod = ("-n", namespace_of(gateway.project), f"{workload.name}-0-0")

    def let_write(part):
        cluster.kubectl("exec", *pod, "--", "touch", f"/tmp/{part}")

    with gateway.client.open(workload.path("logs"), {"follow": "true"}) as follow:
        before = proxy.cuts
        text, closed = read_lines(follow, PARTS * PART, proxy, let_write)
        assert proxy.cuts > before
    lines = [line.split() for line in text.splitlines()]
    assert [int(number) for number, _ in lines] == list(range(1, len(lines) + 1))
    assert all(pad == b"x" * 140 for _, pad in lines)
    assert closed == (None if len(lines) >= PARTS * PART else LOST)
    assert files_of(gateway, workload) > 1, "else the test shows too little"
