"""sluice completion in the shells themselves."""
import os
import pathlib
import select
import subprocess
import time

import pytest

from support import catalogue
from support.cli import PATIENCE, SLUICE, Cli
from support.processes import is_at_rest
from support.waiting import eventually

pytestmark = pytest.mark.local  # the same whatever runs the workloads


@pytest.fixture
def cli(platform, tmp_path):
    cli = Cli(platform.server, platform.token("alice"), catalogue.PROJECT, tmp_path)
    cli.environment["PATH"] = f"{pathlib.Path(SLUICE).parent}:{cli.environment['PATH']}"
    cli.environment["TERM"] = "dumb"
    return cli


def by_bash(cli, line):
    script = ("source <(sluice completion bash); COMP_WORDS=($1); [[ $1 == *' ' ]] && COMP_WORDS+=('');"
              'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sluice; printf "%s\\n" "${COMPREPLY[@]}"')
    return run(cli, "bash", "--norc", "-c", script, "_", line)


def by_fish(cli, line):
    lines = run(cli, "fish", "--no-config", "-c", "sluice completion fish | source; complete -C $argv[1]", line)
    return [one.partition("\t")[0] for one in lines]


def by_zsh(cli, line, setup=b"autoload -Uz compinit; compinit -u; source <(sluice completion zsh)"):
    """At a terminal: only there zsh completes. What it shows for two tabs, in words."""
    master, slave = os.openpty()
    with subprocess.Popen(["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=cli.environment["HOME"],
                          env=cli.environment, start_new_session=True) as shell:
        try:
            os.write(master, b"PS1=; " + setup + b"\n")
            os.write(master, b"echo re''ady\n")
            read_until(master, b"ready\r\n")
            os.write(master, line.encode() + b"\t\t")
            return read_until_quiet(master, shell.pid).decode().split()
        finally:
            shell.kill()
            os.close(slave)
            os.close(master)


def run(cli, *command):
    done = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE, env=cli.environment,
                          cwd=cli.environment["HOME"])
    return done.stdout.decode().split("\n")[:-1]


def read_until(terminal, words):
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 65536)


def read_until_quiet(terminal, shell):
    """What it shows until it shows no more and waits for keys."""
    shown, until = b"", time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536)
        elif shown and is_at_rest(shell):
            break
    return shown


def offered(cli, complete, line, wanted):
    """The words, once these are among them: the program waits no longer than 2 s for a server's."""
    def look():
        words = complete(cli, line)
        return words if wanted <= set(words) else None
    return eventually(look, f"{wanted} for {line}", PATIENCE)


SHELLS = pytest.mark.parametrize("complete", [by_bash, by_fish, by_zsh])


@SHELLS
def test_commands_are_completed(cli, complete):
    words = complete(cli, "sluice lo")
    assert {"logs", "login", "logout"} <= set(words), words
    assert "exec" not in words


@SHELLS
def test_workloads_are_those_that_the_server_has(cli, complete):
    assert "ticker" not in offered(cli, complete, "sluice workspace exec ", {"shell", "cat"})


@SHELLS
def test_options_are_completed(cli, complete):
    words = complete(cli, "sluice logs ticker --t")
    assert {"--timestamps", "--tail"} <= set(words), words


@SHELLS
def test_files_are_completed_where_a_file_is_meant(cli, complete):
    home = pathlib.Path(cli.environment["HOME"])
    (home / "authority-one.pem").touch()
    (home / "authority-two.pem").touch()
    if complete is by_bash:  # it completes files itself, which takes a terminal to see
        assert complete(cli, "sluice status --ca-file auth") == [""]
        return
    words = complete(cli, "sluice status --ca-file auth")
    assert {"authority-one.pem", "authority-two.pem"} <= set(words), words


def test_zsh_reads_it_from_a_folder_when_it_is_first_called_for(cli):
    folder = pathlib.Path(cli.environment["HOME"], "functions")
    folder.mkdir()
    (folder / "_sluice").write_bytes(cli.run("completion", "zsh").stdout)
    words = by_zsh(cli, "sluice lo", b"fpath=(~/functions $fpath); autoload -Uz compinit; compinit -u")
    assert {"logs", "login", "logout"} <= set(words), words


@SHELLS
def test_workloads_and_files_are_completed_where_either_may_stand(cli, complete):
    (pathlib.Path(cli.environment["HOME"]) / "sheet").touch()
    offered(cli, complete, "sluice workspace cp sh", {"shell:", "sheet"})


def test_value_in_one_word_with_its_option_is_completed(cli):
    assert by_bash(cli, "sluice list --output=")[:2] == ["--output=table", "--output=json"]
    assert by_bash(cli, "sluice list --output = j") == ["json"]
    eventually(lambda: by_bash(cli, "sluice logs duo --pod=")[0].startswith("--pod=duo-"), "its pod", PATIENCE)


def test_no_word_is_offered_twice(cli):
    words = by_bash(cli, "sluice logs --")
    assert len(words) == len(set(words))


def test_pods_and_containers_are_those_of_the_workload(cli, platform):
    pods = offered(cli, by_bash, "sluice logs pair --pod ", {platform.pod(catalogue.PAIR, index) for index in (0, 1)})
    assert len(pods) == 2
    assert offered(cli, by_bash, "sluice logs duo -c ", {"alpha", "beta"}) == ["alpha", "beta"]


def test_without_a_server_what_needs_none_is_completed(tmp_path):
    cli = Cli.without_server(tmp_path)
    assert cli.run("__complete", "logs", "").stdout == b""
    assert cli.run("__complete", "ver").stdout == b"version\tPrint the version\n"
