"""`sluice` as a user runs it."""
import os
import signal
import subprocess
import threading

from support.server import ROOT

SLUICE = os.environ.get("SLUICE", str(ROOT / "build/release/sluice"))
PATIENCE = 30.0  # seconds until a command that ends by itself has ended


class Cli:
    """The program with an environment that names a server, a project and a user."""

    def __init__(self, server, token, project, folder):
        host, port = server.address
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8",
                            "SLUICE_SERVER": f"http://{host}:{port}/cluster-api",
                            "SLUICE_PROJECT": project}
        if token:
            self.environment["SLUICE_TOKEN"] = token

    @classmethod
    def without_server(cls, folder):
        """One that has only its home."""
        cli = cls.__new__(cls)
        cli.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        return cli

    def run(self, *arguments, stdin=b"", timeout=PATIENCE, **environment):
        """Runs it to its end; stdout and stderr are bytes."""
        return subprocess.run([SLUICE, *arguments], input=stdin, capture_output=True, check=False,
                              timeout=timeout, env=self.environment | environment)

    def start(self, *arguments, **environment):
        """A process that runs on, with pipes."""
        return subprocess.Popen([SLUICE, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.environment | environment)


class StderrLines:
    """What a process that runs on says on stderr: the lines as they come."""

    def __init__(self, process):
        self._lines = []
        self._reader = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
        self._reader.start()

    def _read(self, stderr):
        for line in stderr:
            self._lines.append(line.decode())

    def count(self, words):
        """The lines that hold these words, of those that have come."""
        return sum(words in line for line in list(self._lines))

    def end(self):
        """Waits for the last one."""
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), self._lines


def interrupt(process):
    """Ctrl-C; the exit code."""
    process.send_signal(signal.SIGINT)
    return process.wait(PATIENCE)
