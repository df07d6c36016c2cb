"""kubectl, an independent client, sees the same bytes as the gateway's users do."""
import base64
import hashlib
import re
import socket
import subprocess

import pytest

from gateway import catalogue, eventually, namespace_of

SIZE = 5_000_000


@pytest.fixture(scope="module")
def witness(gateway):
    """Five megabytes that are no text, a log of all kinds of lines, and an echo on two ports."""
    script = ("nc -ll -p 18600 -e cat & nc -ll -p 18601 -e cat & "
              f"head -c {SIZE} /dev/urandom >/tmp/blob; printf 'one\\n\\n two \\ttab\\nümlaut\\n'; "
              + catalogue.FOREVER)
    workload = gateway.workload("witness", script)
    eventually(lambda: kubectl(gateway, "logs", "witness-0-0").count(b"\n") == 4, "all is there", 60)
    return workload


def kubectl(gateway, verb, *arguments, stdin=None):
    done = subprocess.run(["kubectl", verb, "-n", namespace_of(gateway.project), *arguments], input=stdin,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_logs_are_the_same(gateway, witness):
    messages, closed = gateway.client.logs(witness)
    assert closed.code == 1000
    assert b"".join(messages) == kubectl(gateway, "logs", "witness-0-0")
    assert len(messages) == 4


def test_logs_with_time_stamps_are_the_same(gateway, witness):
    messages, _ = gateway.client.logs(witness, timestamps="true")
    assert b"".join(messages) == kubectl(gateway, "logs", "--timestamps", "witness-0-0")


def test_what_a_command_writes_is_the_same(gateway, witness):
    output, closed = gateway.client.run(witness, "cat", "/tmp/blob")
    assert (closed.code, closed.reason) == (1000, "exit code 0")
    assert len(output) == SIZE
    assert output == kubectl(gateway, "exec", "witness-0-0", "--", "cat", "/tmp/blob")


def test_what_a_command_reads_is_the_same(gateway, witness):
    blob = kubectl(gateway, "exec", "witness-0-0", "--", "cat", "/tmp/blob")
    with gateway.client.exec(witness, "sha256sum", stdin="true", stdinEof="empty") as session:
        for begin in range(0, SIZE, 65536):
            session.send(blob[begin:begin + 65536])
        session.send(b"")
        messages, closed = session.read_all(30)
    theirs = kubectl(gateway, "exec", "-i", "witness-0-0", "--", "sha256sum", stdin=blob)
    assert closed.code == 1000
    assert b"".join(messages) == theirs
    assert theirs.split()[0].decode() == hashlib.sha256(blob).hexdigest()


def test_a_forwarded_port_gives_the_same(gateway, witness, start):
    text = base64.b64encode(bytes(range(256)) * 100)
    with gateway.client.open(witness.path("port-forward"), {"port": 18600}) as session:
        session.send(text)
        ours = b""
        while len(ours) < len(text):
            ours += session.message()
    forward = start("kubectl", "port-forward", "-n", namespace_of(gateway.project), "witness-0-0", ":18601")
    port = int(re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(text)
        theirs = b""
        while len(theirs) < len(text):
            data = connection.recv(65536)
            assert data, "kubectl's connection ended early"
            theirs += data
    assert ours == theirs == text
