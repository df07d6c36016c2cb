#!/usr/bin/env python3
"""Runs the Autobahn test suite against both roles of the WebSocket code.

Usage: tests/autobahn/run.py DIRECTORY [--quick] [--cases PATTERN...] [--keep FILE]

DIRECTORY has the programs autobahn_server and autobahn_client. --quick leaves out what is slow and differs from the
rest only in size. --keep writes the table of outcomes. Reports, as pages of HTML, are in build/autobahn/.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import report

HERE = pathlib.Path(__file__).resolve().parent
WORK = HERE.parent.parent / "build/autobahn"
PACKAGES = WORK / "python"
AGENT = "sluice"
# Compressed messages by the thousand, of 4 KiB and more. The smaller ones, and those of .11 in many fragments, go
# through the same code.
SLOW = [f"{section}.*.{size}" for section in (12, 13) for size in range(5, 19) if size != 11]
# Seconds until the suite takes its peer's opening or closing for missing. It gives a second, which a busy machine may
# need for other things; none of them passes where all is well.
PATIENCE = {"openHandshakeTimeout": 30, "closeHandshakeTimeout": 30}


def find_python():
    """A Python 2.7 that runs: of the PATH, or one of pyenv's."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    of_pyenv = sorted(map(str, pyenv.glob("versions/2.7*/bin/python2.7")), reverse=True)
    for candidate in filter(None, [shutil.which("python2.7"), *of_pyenv]):
        if subprocess.run([candidate, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
            return candidate
    sys.exit("autobahn: the Autobahn test suite needs Python 2.7 with pip, and there is none: neither does `python2.7`"
             f" in the PATH run, nor is there one in {pyenv}/versions. `pyenv install 2.7.18` installs it.")


def install(python):
    """The suite, in a directory of its own; nothing of it stands in the user's."""
    wanted = (HERE / "requirements.txt").read_text()
    done = PACKAGES / "installed.txt"
    if done.exists() and done.read_text() == python + "\n" + wanted:
        return
    shutil.rmtree(PACKAGES, ignore_errors=True)
    PACKAGES.mkdir(parents=True)
    print("installing the Autobahn test suite", flush=True)
    subprocess.run([python, "-W", "ignore", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--user",
                    "--no-deps", "--no-warn-script-location", "-r", HERE / "requirements.txt"],
                   env=environment(), cwd=WORK, check=True)
    done.write_text(python + "\n" + wanted)


def environment():
    return os.environ | {"PYTHONUSERBASE": str(PACKAGES), "PYTHONWARNINGS": "ignore", "PYTHONPATH": ""}


def case_ids(python):
    """All that the suite has."""
    names = subprocess.run([python, "-c", "from autobahntestsuite.case import Cases\n"
                            "print(' '.join(case.__name__ for case in Cases))"],
                           env=environment(), cwd=WORK, check=True, capture_output=True, text=True).stdout
    return [name.removeprefix("Case").replace("_", ".") for name in names.splitlines()[-1].split()]


class Suite:
    """wstest in one mode, with its report in a directory of its own."""

    def __init__(self, mode, settings, chosen):
        self.report = WORK / mode
        shutil.rmtree(self.report, ignore_errors=True)
        spec = WORK / f"{mode}.json"
        spec.write_text(json.dumps(settings | {"outdir": str(self.report), "cases": chosen, "exclude-cases": [],
                                               "exclude-agent-cases": {}}))
        with open(WORK / f"{mode}.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([PACKAGES / "bin/wstest", "-m", mode, "-s", spec, "-u", "0"], stdout=log,
                                            stderr=log, env=environment(), cwd=WORK)

    def outcomes(self):
        index = self.report / "index.json"
        return report.read(json.loads(index.read_text())) if index.exists() else {}


def test_server(directory, chosen):
    """Starts our server and the suite's client. Yields once it runs, then the outcomes."""
    server = subprocess.Popen([directory / "autobahn_server"], stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()
        options = PATIENCE | {"serverConnectionDropTimeout": 30}
        suite = Suite("fuzzingclient", {"servers": [{"agent": AGENT, "url": url}], "options": options}, chosen)
        yield
        suite.process.wait()
        yield suite.outcomes()
    finally:
        server.terminate()
        server.wait()


def test_client(directory, chosen):
    """Starts the suite's server and our client. Yields once it runs, then the outcomes."""
    port = free_port()
    suite = Suite("fuzzingserver", {"url": f"ws://127.0.0.1:{port}", "options": PATIENCE}, chosen)
    try:
        wait_for_port(port, suite.process)
        client = subprocess.Popen([directory / "autobahn_client", str(port), AGENT])
        yield
        client.wait()
        yield suite.outcomes()
    finally:
        suite.process.terminate()
        suite.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            pass  # not yet
    sys.exit(f"autobahn: the suite's server has ended with {process.returncode}: {WORK}/fuzzingserver.log says why")


def judge(roles, chosen):
    """Prints what is wrong, and how much is not; the number of complaints."""
    wrong = 0
    for role, outcomes in roles.items():
        for complaint in report.complaints(outcomes, chosen):
            print(f"{role}: {complaint}")
            wrong += 1
    print(f"{len(roles) * len(chosen) - wrong} passed and {wrong} failed")
    return wrong


def keep(path, roles, title):
    path.write_text("\n".join([title, "", *report.table(roles)]) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cases", nargs="+", default=["*"])
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    python = find_python()
    WORK.mkdir(parents=True, exist_ok=True)
    install(python)
    cases = case_ids(python)
    chosen = report.choose(cases, options.cases, SLOW if options.quick else [])
    directory = options.directory.resolve()
    tests = {"server": test_server(directory, chosen), "client": test_client(directory, chosen)}
    for test in tests.values():
        next(test)
    roles = {role: next(test) for role, test in tests.items()}
    for test in tests.values():
        test.close()
    if options.keep:
        today = datetime.date.today().isoformat()
        keep(options.keep, roles, f"The Autobahn test suite 0.8.2 on {today}: {len(chosen)} of {len(cases)} cases")
    return 1 if judge(roles, chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
