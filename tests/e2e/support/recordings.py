"""Recordings of sessions, as asciicast files (version 2)."""
import json

EVERYTHING = [{"subjects": ["*"], "projects": ["*"], "verbs": ["*"]}]  # rules that record each session


def read(file):
    """(header, events) of a recording that has ended: whole lines, each of JSON."""
    *lines, rest = file.read_bytes().split(b"\n")  # splitlines() would also split at characters that JSON may hold
    assert not rest, rest
    header, *events = map(json.loads, lines)
    return header, events
