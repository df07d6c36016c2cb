"""Waiting for events with a deadline, never for time to pass."""
import time

TIMEOUT = 20.0  # seconds that any single event may take, on a machine that others use, too


def eventually(probe, what, timeout=TIMEOUT, pause=0.02):
    """The first truthy value of probe(), asked again after each pause; fails with `what` when none comes in time."""
    end = time.monotonic() + timeout
    while not (value := probe()):
        assert time.monotonic() < end, f"not within {timeout} s: {what}"
        time.sleep(pause)
    return value
