"""`sluiced` as a process: its files, its start, its end (contract §9)."""
import os
import pathlib
import re
import signal
import subprocess
import threading

import yaml

from support.files import whole_lines
from support.waiting import eventually

ROOT = pathlib.Path(__file__).resolve().parents[3]
SLUICED = os.environ.get("SLUICED", str(ROOT / "build/release/sluiced"))
START = 60.0  # seconds until "listening on", or until a command has ended


def sluiced(*arguments, timeout=START):
    """Runs sluiced to its end."""
    return subprocess.run([SLUICED, *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, check=False)


def mint(config, user, groups=(), ttl="1h"):
    """A token of the development issuer (`sluiced token`)."""
    options = [word for group in groups for word in ("--group", group)]
    result = sluiced("token", "--config", config, "--user", user, *options, "--ttl", ttl)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


class Server:
    """One sluiced, serving `config` (a dict) from `folder`, with a workloads file if there is one."""

    def __init__(self, folder, config, workloads=None):
        self.folder = folder
        self.config = folder / "sluiced.yaml"
        self.log = folder / "log"
        self.settings = config
        self.process = None
        self.program = SLUICED
        self.runner = []  # a command that becomes the server, such as `unshare --mount`
        self.addresses = []
        self.admin = None
        self.config.write_text(yaml.safe_dump(config, sort_keys=False))
        if workloads is not None:
            self.write_workloads(workloads)

    @property
    def address(self):
        return self.addresses[0]

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_running(self):
        return self.process.poll() is None

    @property
    def output(self):
        return self.log.read_text(errors="replace")

    @property
    def lines(self):
        """Of its output."""
        return whole_lines(self.log)

    def write_workloads(self, projects):
        text = projects if isinstance(projects, str) else yaml.safe_dump({"projects": projects})
        (self.folder / "workloads.yaml").write_text(text)

    def start(self):
        with open(self.log, "w", encoding="utf-8") as log:
            command = [*self.runner, self.program, "--config", str(self.config)]
            self.process = subprocess.Popen(command, stderr=log)
        eventually(self._ready, f"listening on …: {self.output}", START)
        return self

    def _ready(self):
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.output}"
        text = self.output
        found = re.findall(r"listening on https?://([\d.]+):(\d+)\n", text)
        admin = re.search(r"admin on (?:http://)?([\d.]+):(\d+)\n", text)
        listeners = self.settings["listen"]
        expected = len(listeners) if isinstance(listeners, list) else 1
        self.addresses = [(host, int(port)) for host, port in found]
        self.admin = (admin.group(1), int(admin.group(2))) if admin else None
        return len(found) == expected and (self.admin or "admin" not in self.settings)

    def token(self, user="alice", groups=(), ttl="1h"):
        return mint(self.config, user, groups, ttl)

    def reload(self, projects):
        """Replaces the workloads file and sends SIGHUP."""
        self.write_workloads(projects)
        self.signal(signal.SIGHUP)

    def signal(self, number):
        self.process.send_signal(number)

    def status(self, field, pid=None):
        """A number of /proc/PID/status, such as VmRSS in KiB."""
        text = pathlib.Path(f"/proc/{pid or self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+)", text, re.M).group(1))

    def stop(self, timeout=30):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        # A server that hangs must not hang the suite, nor be left behind.
        killer = threading.Timer(timeout, self.process.kill)
        killer.start()
        code = self.process.wait()
        killer.cancel()
        return code
