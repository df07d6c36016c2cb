"""What the server keeps of the soak's sessions: each is on record once, from its begin to its end, and its recording
tells the same end.

Recordings that were looked at are removed, so that hours of them fit on a disk.
"""
import json

from support.recordings import EVERYTHING, read


class Records:
    """`settings` are for the server's configuration; check() is for one caller, again and again."""

    def __init__(self, folder):
        self._trail = folder / "audit.jsonl"
        self._recordings = folder / "recordings"
        self.settings = {
            "audit": {"file": str(self._trail)},
            "recording": {"folder": str(self._recordings), "rules": EVERYTHING, "maxLag": "60s", "maxSize": 64 << 20}}
        self.sessions = 0  # that have ended
        self.recorded = 0
        self._read = 0  # bytes of the trail
        self._running = {}

    def check(self, at_end=False):
        """What has been written since the last time; at the end nothing may be left. Raises AssertionError."""
        with open(self._trail, "rb") as trail:
            trail.seek(self._read)
            text = trail.read()
        whole = text[:text.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))
        if at_end:
            assert whole == text, text[len(whole):]
            assert not self._running, f"sessions without an end on record: {list(self._running.values())[:3]}"
            left = [path.name for path in self._recordings.iterdir()]
            assert not left, f"recordings of no session: {left[:3]}"

    def _take(self, record):
        if record["event"] == "session begin":
            assert record["session"] not in self._running, record
            self._running[record["session"]] = record
        elif record["event"] == "session end":
            begin = self._running.pop(record["session"], None)
            assert begin is not None, f"an end without a begin: {record}"
            changed = {key for key in begin if key not in ("time", "event") and begin[key] != record.get(key)}
            assert not changed, (begin, record)
            self.sessions += 1
            if record["verb"] in ("exec", "attach"):
                self._check_recording(record)

    def _check_recording(self, record):
        assert "recordingProblem" not in record, record
        path = self._recordings / record["recording"]
        header, events = read(path)
        assert header["version"] == 2, header
        times = [event[0] for event in events]
        assert times == sorted(times), path
        end = f"session ended: {record['closeCode']} {record['reason']}".strip()
        assert events[-1][1:] == ["m", end], (events[-1], record)
        path.unlink()
        self.recorded += 1
