"""What the clients of the soak do, each by itself: one visit, checked to the last byte, that ends well or not.

A visit takes the client and a random.Random, and returns how many bytes it has checked. What it finds wrong is an
AssertionError.
"""
import contextlib
import hashlib
import os
import re
import socket
import time

from support.catalogue import BASE, CAT, LINES, PROJECT, SHELL, TICKER, Workload, shell
from support.httpclient import dial
from support.rawws import Closed, Refused
from support.tcp import receive
from support.waiting import eventually

PATIENCE = 60  # seconds: sanitizers are slow, and many ask at once
CHURNED = Workload("churned", (shell("i=0; while :; do i=$((i+1)); echo churn $i; sleep 0.01; done"),))
WORKLOADS = (SHELL, LINES, TICKER, CAT, CHURNED)
HUNDRED = b"".join(b"line %d\n" % number for number in range(1, 101))


def read_logs(client, random):
    query = random.choice([{}, {"tailLines": "100"}, {"sinceSeconds": "24h"}])
    with client.open(LINES.path("logs"), query) as session:
        messages, closed = session.read_all(PATIENCE)
    text = b"".join(messages)
    assert text == HUNDRED and closed.code == 1000, (len(text), closed)
    return len(text)


def download_logs(client, _):
    answer = client.get(LINES.path("logs/download"))
    assert answer.status == 200 and answer.body == HUNDRED, answer
    return len(answer.body)


def follow_logs(client, random):
    """The numbers come without a gap until the client goes away, politely or not."""
    with client.open(TICKER.path("logs"), {"follow": "true", "tailLines": "20"}) as session:
        text, wanted = b"", random.randint(25, 60)
        while text.count(b"\n") < wanted:
            text += session.message(PATIENCE)
        leave(session, random)
    numbers = [int(number) for number in re.findall(rb"tick (\d+)\n", text)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers
    return len(text)


def leave(session, random):
    """As clients do: with a Close, without, or with a reset."""
    how = random.randrange(3)
    if how == 0:
        session.close()
        session.read_close(PATIENCE)
    elif how == 1:
        session.drop()


def follow_slowly(client, random):
    """A reader that takes next to nothing, of a source that all buffers together can't hold; then it vanishes."""
    with client.exec(SHELL, "head", "-c", str(256 << 20), "/dev/zero", receive_buffer=4096) as session:
        session.sock.settimeout(PATIENCE)
        taken = 0
        with contextlib.suppress(ConnectionResetError):  # it answers no pings, and so may be cut
            for _ in range(random.randint(3, 10)):
                taken += len(session.sock.recv(2048))
                time.sleep(0.2)
        session.drop()
    assert taken
    return taken


def echo_bytes(client, random):
    """What goes in by stdin comes back by stdout, all of it, and the command's exit code with it."""
    sent = random.randbytes(random.choice([1, 1000, 70_000, 1_000_000]))
    code = random.randrange(1, 100)
    script = f"head -c {len(sent)}; exit {code}"
    with client.exec(SHELL, "sh", "-c", script, stdin="true") as session:
        received = b""
        for begin in range(0, len(sent), 50_000):
            session.send(sent[begin:begin + 50_000])
        while not isinstance(message := session.message(PATIENCE), Closed):
            received += message
    assert hashlib.sha256(received).digest() == hashlib.sha256(sent).digest(), (len(sent), len(received))
    assert message == Closed(1000, f"exit code {code}"), message
    return 2 * len(sent)


def abandon_command(client, random):
    """A command whose client goes away: nothing of its process tree may stay, if it is on this machine."""
    with client.exec(SHELL, "sh", "-c", "sleep 300 & echo begun; sleep 300") as session:
        text = session.read_until(b"begun\n", PATIENCE)
        leave(session, random)
    return len(text)


def use_terminal(client, random):
    with client.exec(SHELL, "sh", tty="true", stdin="true", subprotocols=("v5.channel.k8s.io",)) as session:
        session.send(b"\x04" + b'{"Width":%d,"Height":%d}' % (random.randint(20, 200), random.randint(5, 90)))
        session.send(b"\x00echo $((6 * 7))\nexit 3\n")
        text = b""
        while not isinstance(message := session.message(PATIENCE), Closed):
            text += message
    assert b"42" in text and message.code == 1000, (text, message)
    return len(text)


def attach_in_silence(client, random):
    """A half-open peer: upgraded, it never reads and never answers."""
    with client.open(CAT.path("attach")) as session:
        session.answer_pings = False
        time.sleep(random.uniform(0.1, 5))
        session.drop()
    return 0


def forward_port(port):
    """Through a port-forward to an echo server."""
    def visit(client, random):
        sent = random.randbytes(random.choice([1, 10_000, 300_000]))
        with client.open(SHELL.path("port-forward"), {"port": str(port)}) as session:
            session.send(len(sent).to_bytes(4, "big"))
            for begin in range(0, len(sent), 50_000):
                session.send(sent[begin:begin + 50_000])
            received = b""
            while len(received) < len(sent):
                received += session.message(PATIENCE)
            leave(session, random)
        assert received == sent
        return 2 * len(sent)
    return visit


def answer_echo(connection):
    """The pod's side of forward_port(): a length, then so many bytes that go back."""
    with connection, contextlib.suppress(OSError):
        connection.settimeout(PATIENCE)
        size = int.from_bytes(receive(connection, 4), "big")
        connection.sendall(receive(connection, size))
        receive(connection, 1)


def ask(client, _):
    for path, status in ((f"{BASE}/status", 200), (LINES.path("status"), 200), (LINES.path("pods"), 200),
                         (f"{BASE}/api/v1/{PROJECT}/workloads", 200), (f"{BASE}/nothing", 404),
                         (LINES.named(project="other").path("status"), 403)):
        answer = client.get(path)
        assert answer.status == status, (path, answer.status, answer.body)
    assert client.as_user("a.b.c").get(LINES.path("status")).status == 401
    return 0


def talk_nonsense(client, random):
    """Bytes that are no HTTP, or no WebSocket, or stop in the middle."""
    kind = random.randrange(3)
    with contextlib.suppress(OSError):
        if kind == 0:
            with dial(client.server.address, None) as sock:
                sock.sendall(random.randbytes(random.randint(1, 4000)))
        elif kind == 1:
            with dial(client.server.address, None) as sock:
                sock.sendall(b"GET " + LINES.path("logs").encode() + b" HTTP/1.1\r\nHost: a\r\nUpgr")
                sock.settimeout(0.2)
                with contextlib.suppress(socket.timeout):
                    sock.recv(1)
        else:
            with client.exec(SHELL, "cat", stdin="true") as session:
                session.send_raw(os.urandom(random.randint(10, 1000)))
                session.read_close(PATIENCE)
    return 0


def visit_churned(client, random):
    """A workload that is started, changed and removed meanwhile: whatever comes of it is said."""
    try:
        return random.choice((follow_churned, run_in_churned))(client)
    except Refused as refused:
        assert refused.response.status in (404, 409, 500, 503) and refused.response.body, refused.response
        return 0


def follow_churned(client):
    with client.open(CHURNED.path("logs"), {"follow": "true", "tailLines": "5"}) as session:
        text = b""
        for _ in range(100):
            message = session.message(PATIENCE)
            if isinstance(message, Closed):
                assert message.code in (1000, 1001) and message.reason, message
                break
            text += message
        return len(text)


def run_in_churned(client):
    """To its end, or the pod's."""
    with client.exec(CHURNED, "sleep", "3") as session:
        closed = session.read_close(PATIENCE)
    assert closed in (Closed(1000, "exit code 0"), Closed(1001, "pod deleted")), closed
    return 0


def wait_for_start(client):
    eventually(lambda: client.logs(LINES)[0] and b"".join(client.logs(LINES)[0]) == HUNDRED, "the lines are logged", 60)
    client.settle(SHELL, CAT, TICKER)
