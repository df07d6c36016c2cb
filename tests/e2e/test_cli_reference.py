"""The program's documents are its own words."""
import os
import signal
import subprocess

import pytest

from support.cli import SLUICE, Cli
from support.server import ROOT

pytestmark = pytest.mark.local  # the same whatever runs the workloads


@pytest.fixture
def cli(tmp_path):
    return Cli.without_server(tmp_path)


def test_the_reference_is_what_the_program_says(cli):
    page = cli.run("__reference", "markdown").stdout.decode()
    assert page == (ROOT / "docs/cli.md").read_text(), "run ./dev docs"


def test_manual_pages_are_in_order(cli, tmp_path):
    assert cli.run("__reference", "man", str(tmp_path)).returncode == 0
    pages = sorted(tmp_path.glob("*.1"))
    assert {"sluice.1", "sluice-logs.1", "sluice-config-set.1"} <= {page.name for page in pages}
    for page in pages:
        lint = subprocess.run(["mandoc", "-Tlint", "-Werror", page], capture_output=True, check=False)
        assert lint.returncode == 0, lint.stdout
        assert ".SH SYNOPSIS" in page.read_text()


def commands(cli, *words):
    """All below these words, by what completion says."""
    answer = cli.run("__complete", *words, "").stdout.decode()
    return [line.partition("\t")[0] for line in answer.splitlines()]


def test_every_command_has_help_with_an_example(cli):
    for name in commands(cli):
        shown = cli.run(name, "--help")
        assert shown.returncode == 0 and shown.stderr == b""
        text = shown.stdout.decode()
        assert f"Usage: sluice {name}" in text
        if "Subcommands:" not in text and name != "version":
            assert "Examples:\n  " in text and "sluice" in text.partition("Examples:")[2], name


@pytest.mark.parametrize("arguments", [
    ("version",), ("--version",), ("--help",), ("logs", "--help"), ("completion", "bash"), ("__reference", "markdown"),
    ("config", "list"), ("config", "get", "server")])
def test_output_that_cannot_be_written_is_an_error(cli, arguments):
    assert cli.run("config", "set", "server", "https://lab.example").returncode == 0
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SLUICE, *arguments], stdout=full, stderr=subprocess.PIPE, check=False,
                              env=cli.environment)
    assert done.returncode == 1
    assert done.stderr == b"sluice: cannot write the output (write: No space left on device)\n"


def test_a_reader_that_is_gone_is_no_message(cli):
    reads, writes = os.pipe()
    os.close(reads)
    with open(writes, "wb") as closed:
        done = subprocess.run([SLUICE, "version"], stdout=closed, stderr=subprocess.PIPE, check=False,
                              env=cli.environment)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
