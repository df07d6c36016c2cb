"""Contract §5, §9, §10: the local backend's logs on disk: rotation, slow readers, a full disk."""
import contextlib
import errno
import os
import re
import subprocess

import pytest

from support.catalogue import BASE, FOREVER, LINES, SHELL, Container, Workload, shell
from support.client import Client
from support.httpclient import dial, read_head
from support.local import describe, settings
from support.rawws import BINARY, CONTINUATION, Closed
from support.server import Server
from support.waiting import eventually

pytestmark = pytest.mark.local
CRI = re.compile(rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) (stdout|stderr) [FP] ")
MIB = 1 << 20


# --- format and rotation ---


def log_files(client):
    state = client.server.folder / "state"
    found = []
    for path in state.rglob("*"):
        try:
            if path.is_file() and CRI.match(path.open("rb").read(200)):
                found.append(path)
        except OSError:
            pass  # rotated away while we looked
    return found


def test_logs_are_stored_in_the_cri_format_stdout_and_stderr_apart(serve):
    client = serve(both := Workload("both", (shell("echo out; echo err >&2"),)))
    eventually(lambda: client.phase(both) == "Completed", "Completed")
    text = b"".join(path.read_bytes() for path in log_files(client))
    assert sorted(re.findall(rb" (stdout F out|stderr F err)\n", text)) == [b"stderr F err",
                                                                            b"stdout F out"]


def is_stored(client, end):
    """Whether a log ends so. Its files say so, not the server, whose memory is looked at: each request leaves traces in
    it, above all with AddressSanitizer, which keeps what was freed."""
    for path in log_files(client):
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(-len(end), os.SEEK_END)
            if file.read() == end:
                return True
    return False


def fast_writer(lines, **logs):
    """Numbered lines of 100 bytes, as fast as they go."""
    return Workload("fast", (shell("read go; awk 'BEGIN { for (i = 1; i <= %d; i++) "
                                   'printf "%%-99d\\n", i }\'; exec sleep 1000000' % lines,
                                   stdin=True, logs=logs),))


def begin(client, workload):
    client.settle(workload)
    with client.open(workload.path("attach"), "stdin=true&stdout=false&stderr=false") as session:
        session.send(b"go\n")
        session.close()
        session.read_close()


def test_following_goes_on_through_rotation_without_losing_or_repeating_a_line(serve):
    lines = 700_000  # 70 MB of text: more than the 5 × 10 MiB that are kept
    client = serve(fast := fast_writer(lines))
    with client.open(fast.path("logs"), "follow=true") as session:
        begin(client, fast)
        seen = 0
        while seen < lines:
            message = session.message(timeout=60)
            assert int(message) == seen + 1
            seen += 1
    sizes = [path.stat().st_size for path in log_files(client)]
    assert 2 <= len(sizes) <= 6
    assert sum(sizes) <= 70 << 20


def test_slow_follower_keeps_files_that_rotation_would_delete(serve):
    lines = 700_000
    client = serve(fast := fast_writer(lines))
    with client.open(fast.path("logs"), "follow=true", receive_buffer=4096) as session:
        begin(client, fast)
        eventually(lambda: is_stored(client, b"%-99d\n" % lines),
                   "all is written, although the follower doesn't read", timeout=60)
        assert client.server.status("VmRSS") < 100 << 10
        for number in range(1, lines + 1):
            assert int(session.message(timeout=60)) == number


def test_fast_writer_neither_blocks_nor_grows_the_server(serve):
    client = serve(fast := fast_writer(500_000), SHELL).settle(fast, SHELL)
    before = client.server.status("VmRSS")
    begin(client, fast)
    eventually(lambda: is_stored(client, b"%-99d\n" % 500_000), "written", timeout=60)
    assert client.server.status("VmRSS") - before < 20 << 10
    assert client.run(SHELL, "echo", "hi")[0] == b"hi\n"


def test_logs_of_the_run_before_the_servers_restart_do_not_mix_with_the_new(tmp_path):
    server = Server(tmp_path, settings(), describe(LINES)).start()
    assert server.stop() == 0
    server.start()
    try:
        client = Client(server, server.token())
        eventually(lambda: len(client.logs(LINES)[0]) == 100, "one run's lines, no more")
    finally:
        server.stop()

# --- slow readers ---


def test_lines_lost_to_a_slow_follower_end_it_with_1011(serve):
    client = serve(flood := fast_writer(200_000, maxSize=MIB, maxFiles=2, maxHeld=MIB))
    with client.open(flood.path("logs"), "follow=true", receive_buffer=4096) as session:
        begin(client, flood)
        eventually(lambda: last_line(client, flood) == b"%-99d\n" % 200_000, "written", timeout=60)
        eventually(lambda: "a reader was too slow for the rotation" in client.server.output, "a log line")
        messages, closed = session.read_all(timeout=60)
    assert closed == Closed(1011, "log lines lost")
    numbers = [int(message) for message in messages]
    assert numbers == list(range(1, len(numbers) + 1)), "until then none is lost or repeated"
    assert len(numbers) < 200_000, "none at all if the first read came too late"


def read_until_end(sock):
    """What comes until the connection ends, and whether it was reset."""
    data = b""
    try:
        while more := sock.recv(1 << 16):
            data += more
    except ConnectionResetError:
        return data, True
    return data, False


#: Twice 20 MB that gzip can't make small, each time that it is told to go on.
NOISE = "; ".join(f"read go; base64 -w 99 /dev/urandom | head -n 200000; echo done {stage}"
                  for stage in (1, 2))


@pytest.mark.parametrize("version, accepted", [("1.1", "identity"), ("1.1", "gzip"),
                                               ("1.0", "identity")])
def test_download_that_fails_midway_looks_like_a_failure(serve, version, accepted):
    """What a download is still to read is lost to the rotation while its client is slow."""
    logs = {"maxSize": 16 * MIB, "maxFiles": 2, "maxHeld": 0}
    flood = Workload("noise", (shell(f"{NOISE}; {FOREVER}", stdin=True, logs=logs),))
    client = serve(flood)
    begin(client, flood)
    eventually(lambda: last_line(client, flood) == b"done 1\n", "the first stage", timeout=60)
    head = (f"GET {flood.path('logs/download')} HTTP/{version}\r\nHost: x\r\n"
            f"Accept-Encoding: {accepted}\r\nAuthorization: Bearer {client.token}\r\n\r\n")
    with dial(client.server.address, receive_buffer=4096) as sock:
        sock.sendall(head.encode())
        response, body = read_head(sock)
        assert response.status == 200
        begin(client, flood)
        eventually(lambda: last_line(client, flood) == b"done 2\n", "the second stage", timeout=60)
        more, reset = read_until_end(sock)
    assert body + more, "it has begun"
    assert not (body + more).endswith(b"0\r\n\r\n"), "no last chunk"
    if version == "1.0":
        assert reset, "the end of the connection would be the end of the log"
    eventually(lambda: "download ended early" in client.server.output, "the log says so")


def last_line(client, workload):
    return b"".join(client.logs(workload, tailLines=1)[0])


def test_download_that_nobody_reads_ends_with_the_idle_time(serve):
    """TCP itself gives up a peer that takes nothing for so long (contract §10)."""
    client = serve(flood := fast_writer(200_000), sessions={"idleTimeout": "1s"})
    begin(client, flood)
    eventually(lambda: last_line(client, flood) == b"%-99d\n" % 200_000, "written", timeout=60)
    head = (f"GET {flood.path('logs/download')} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {client.token}\r\n\r\n")
    with dial(client.server.address, receive_buffer=4096) as sock:
        sock.sendall(head.encode())
        eventually(lambda: "download ended early" in client.server.output, "it is given up")


# --- long lines ---


def test_line_in_parts_is_not_sent_before_its_newline(serve):
    script = ("head -c 300000 /dev/zero | tr '\\0' p; echo later >&2; read go; echo; " + FOREVER)
    client = serve(parts := Workload("parts", (shell(script, stdin=True),)))
    with client.open(parts.path("logs"), "follow=true") as session:
        assert session.message() == b"later\n"
        eventually(lambda: stored(client).count(b" stdout P ") == 300_000 >> 14, "stored in parts")
        begin(client, parts)
        assert session.message() == b"p" * 300_000 + b"\n"


def test_line_of_3_mib_written_in_slow_pieces_is_one_message(serve):
    piece = "head -c 524288 /dev/zero | tr '\\0' s; sleep 0.05; "
    script = f"read go; {piece * 6} echo; echo next; {FOREVER}"
    client = serve(slow := Workload("slow", (shell(script, stdin=True),)))
    with client.open(slow.path("logs"), "follow=true") as session:
        begin(client, slow)
        frames = [session.frame()]
        while not frames[-1].fin:
            frames.append(session.frame())
        assert [frame.opcode for frame in frames] == [BINARY] + [CONTINUATION] * (len(frames) - 1)
        assert len(frames) > 1
        assert b"".join(frame.payload for frame in frames) == b"s" * (3 * MIB) + b"\n"
        assert session.message() == b"next\n"


def stored(client):
    return b"".join(path.read_bytes() for path in log_files(client))


# --- a full disk ---


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)],
                             check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting isn't allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_full_disk_degrades_logging_with_one_clear_message_and_the_rest_goes_on(serve, small_disk,
                                                                                tmp_path):
    done = tmp_path / "done"
    script = f"head -c 30000000 /dev/zero | tr '\\0' x | fold -w 99; echo > {done}; exec sleep 1e6"
    flood = Workload("flood", (shell(script),))
    client = serve(flood, SHELL, backend=on_disk(small_disk)).settle(SHELL)
    eventually(done.exists, "the workload goes on although its log can't be stored", timeout=60)
    eventually(lambda: "No space left" in client.server.output, "a clear message")
    assert client.server.output.count("No space left") <= 3
    assert client.phase(flood) == "Running"
    assert client.run(SHELL, "echo", "on")[0] == b"on\n"


def on_disk(disk):
    return {"kind": "local", "local": {"workloads": "workloads.yaml",
                                       "stateDir": str(disk / "state")}}


def fill(path):
    """Writes a file until the disk is full."""
    with open(path, "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC


def test_logging_goes_on_after_a_full_disk_and_a_torn_line_is_not_joined_with_the_next(serve,
                                                                                       small_disk):
    echo = Workload("echo", (Container(("/bin/cat",), options={"stdin": True}),))
    client = serve(echo, SHELL, backend=on_disk(small_disk)).settle(echo, SHELL)
    files = small_disk / "state"
    follower = client.open(echo.path("logs"), "follow=true")
    with client.open(echo.path("attach"), "stdin=true&stdout=false&stderr=false") as session:
        session.send(b"before\n" + b"t" * 40_000)
        eventually(lambda: stored_in(files).count(b" stdout P ") == 2, "two parts of the long line")
        fill(small_disk / "ballast")
        session.send(b"its end\n" + b"lost\n" * 1000)
        eventually(lambda: cluster(client)["features"]["logs"]["state"] == "Degraded", "Degraded")
        assert client.run(SHELL, "echo", "on")[0] == b"on\n"
        assert client.phase(echo) == "Running"
        assert follower.read_all() == ([b"before\n"], Closed(1011, "log lines lost"))

        (small_disk / "ballast").unlink()
        session.send(b"after\n")
        eventually(lambda: client.logs(echo, tailLines=1)[0] == [b"after\n"], "stored again")
    assert cluster(client)["status"] == "OK"
    before, torn, notice, after = client.logs(echo)[0]
    assert (before, torn, after) == (b"before\n", b"t" * 32768 + b"\n", b"after\n")
    assert re.fullmatch(rb"sluiced: \d+ bytes of this log were lost: No space left on device\n",
                        notice)
    eventually(lambda: "container log is stored again" in client.server.output, "a log line")
    assert client.server.output.count("No space left") == 1
    assert client.server.output.count("container log is stored again") == 1


def cluster(client):
    return client.get(BASE + "/status").json


def stored_in(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*.log"))
