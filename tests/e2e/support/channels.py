"""Kubernetes channel framing (contract §6): the first byte of a message names its channel."""
import json

STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


def send(session, channel, data=b""):
    session.send(bytes([channel]) + data)


def resize(session, width, height):
    send(session, RESIZE, json.dumps({"Width": width, "Height": height}).encode())


def collect(session, timeout=10):
    """Reads to the end: ({channel: bytes}, Closed)."""
    messages, closed = session.read_all(timeout)
    found = {}
    for message in messages:
        if message:
            found[message[0]] = found.get(message[0], b"") + message[1:]
    return found, closed


def exit_code(found):
    """The exit code that the Status on channel 3 reports."""
    status = json.loads(found[STATUS])
    if status["status"] == "Success":
        return 0
    assert (status["status"], status["reason"]) == ("Failure", "NonZeroExitCode"), status
    causes = {cause["reason"]: cause["message"] for cause in status["details"]["causes"]}
    return int(causes["ExitCode"])
