"""The program's documents are its own words."""
import subprocess

import pytest

from support.cli import Cli
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
