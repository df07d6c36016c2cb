"""README.md is true: every line of its `console` blocks runs against what `./dev demo` serves."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import pytest

from support.cli import SLUICE

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLUICED = os.environ.get("SLUICED", str(ROOT / "build/release/sluiced"))

# What each line's output has to show, in the order of the page.
EXPECTED = [
    r"^$",
    r"counter +training +runai +Running",
    r"step \d+ loss",
    r"Linux",
    r"sweep-0-1",
    r'"status": ?"OK"',
    r'"phase": ?"Running"',
    r"step \d+ loss",
    r"step \d+ loss",
    r"step \d+ loss",
    r"Linux",
    r"tr a-z A-Z",
    r"hello from the notebook",
    r'"label": "cat"',
]


def readme_commands():
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo's server with its example workloads; yields the environment for a shell."""
    folder = tmp_path_factory.mktemp("demo")
    model_port = str(free_port())
    for name in ("sluiced.yaml", "model.py"):
        shutil.copy(ROOT / "demo" / name, folder)
    workloads = (ROOT / "demo/workloads.yaml").read_text()
    (folder / "workloads.yaml").write_text(workloads.replace("MODEL_PORT]", f"'{model_port}']"))
    config = str(folder / "sluiced.yaml")
    with open(folder / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen([SLUICED, "--config", config], stderr=log)
    end = time.monotonic() + 60
    while not (match := re.search(r"listening on http://(\S+)\n", (folder / "log").read_text())):
        assert server.poll() is None and time.monotonic() < end, (folder / "log").read_text()
        time.sleep(0.02)
    token = subprocess.run([SLUICED, "token", "--config", config, "--user", "alice"], check=True,
                           capture_output=True, text=True).stdout.strip()
    api = match.group(1) + "/cluster-api"
    yield os.environ | {"API": api, "TOKEN": token, "MODEL_PORT": model_port, "SLUICE_SERVER": "http://" + api,
                        "SLUICE_TOKEN": token, "SLUICE_PROJECT": "demo",
                        "PATH": f"{pathlib.Path(SLUICE).parent}:{os.environ['PATH']}"}
    server.terminate()
    assert server.wait(timeout=60) == 0


def test_every_line_has_an_expectation():
    assert len(readme_commands()) == len(EXPECTED)


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_readme_line(demo, number):
    command = readme_commands()[number].replace("tcp-l:127.0.0.1:8099", "tcp-l:127.0.0.1:$PORT") \
        .replace("127.0.0.1:8099", "127.0.0.1:$PORT")
    environment = demo | {"PORT": str(free_port())}
    end = time.monotonic() + 60
    while True:  # the demo's workloads need a moment to say their first word
        # The session ends with the shell's process group, so that a websocat in the background does, too.
        shell = subprocess.Popen(["setsid", "bash", "-c", f"{command}; kill 0"], env=environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        output, _ = shell.communicate(timeout=30)
        if re.search(EXPECTED[number], output):
            return
        assert time.monotonic() < end, f"{command}\nprinted: {output}"
        time.sleep(0.2)
