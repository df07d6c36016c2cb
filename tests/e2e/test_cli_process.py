"""sluice exec, bash and attach: pipes, a real terminal, exit codes."""
import hashlib
import os
import signal
import subprocess

import pytest

from support.catalogue import PROJECT
from support.cli import SLUICE, Cli, interrupt
from support.terminal import Terminal
from support.waiting import eventually


@pytest.fixture
def cli(platform, tmp_path):
    return Cli(platform.server, platform.token("alice"), PROJECT, tmp_path)


@pytest.fixture
def terminal(cli):
    opened = []

    def start(*arguments):
        opened.append(Terminal(cli, *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


# --- between pipes ---


def test_output_and_errors_stay_apart_and_the_exit_code_is_the_commands(cli):
    done = cli.run("workspace", "exec", "shell", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


def test_a_command_killed_by_a_signal_is_128_and_the_signal(cli):
    assert cli.run("workspace", "exec", "shell", "--", "sh", "-c", "kill -9 $$").returncode == 137


def test_options_of_the_command_are_its_own(cli):
    done = cli.run("workspace", "exec", "shell", "--", "echo", "-f", "--pod", "x")
    assert done.stdout == b"-f --pod x\n"


def test_stdin_reaches_the_command_and_ends(cli):
    data = os.urandom(3 << 20)
    done = cli.run("workspace", "exec", "-i", "shell", "--", "sha256sum", stdin=data)
    assert done.returncode == 0
    assert done.stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()


def test_bytes_go_through_both_ways(cli):
    data = os.urandom(5 << 20)
    done = cli.run("workspace", "exec", "-i", "shell", "--", "cat", stdin=data)
    assert done.stdout == data


def test_without_stdin_the_command_has_none(cli):
    assert cli.run("workspace", "exec", "shell", "--", "cat", stdin=b"x").stdout == b""


def test_interrupt_between_pipes_ends_it(cli):
    process = cli.start("workspace", "exec", "shell", "--", "sh", "-c", "echo up; exec sleep 1000")
    assert process.stdout.readline() == b"up\n"
    assert interrupt(process) == 130
    process.communicate()


@pytest.mark.parametrize("arguments, code", [
    (("exec", "shell"), 2), (("exec", "nope", "--", "true"), 4), (("attach", "shell", "-i"), 1),
    (("exec", "shell", "--pod", "x", "--", "true"), 4), (("attach", "shell", "--detach-keys", "alt-x"), 2)])
def test_refusals(cli, arguments, code):
    done = cli.run("workspace", *arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.startswith(b"sluice: ")


def test_command_without_dashes_is_told_where_it_goes(cli):
    done = cli.run("workspace", "exec", "shell", "ls", "-la")
    assert done.returncode == 2
    assert b"behind --" in done.stderr


@pytest.mark.parametrize("arguments", [("bash", "shell"), ("exec", "-it", "shell", "--", "sh")])
@pytest.mark.parametrize("stdin", [b"", b"echo he'llo'; tty\n"])
def test_without_a_terminal_a_shell_reads_stdin_to_its_end(cli, arguments, stdin):
    done = cli.run("workspace", *arguments, stdin=stdin)
    assert done.stdout == (b"hello\nnot a tty\n" if stdin else b"")
    assert b"no terminal" in done.stderr


# --- with less than a program usually has ---


@pytest.mark.parametrize("closed, output", [(0, b"x\n"), (1, b""), (2, b"x\n")])
def test_a_closed_descriptor_is_like_an_empty_one(cli, closed, output):
    command = f'exec "$@" {closed}>&-'
    done = subprocess.run(["sh", "-c", command, "sh", SLUICE, "workspace", "exec", "-i", "shell", "--",
                           "sh", "-c", "cat; echo x; echo y >&2"], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, timeout=30, env=cli.environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, output, b"" if closed == 2 else b"y\n")


# --- at a terminal ---


def test_a_shell_at_a_terminal_has_its_size_and_follows_it(terminal):
    shell = terminal("workspace", "exec", "-it", "shell", "--", "sh")
    shell.type(b"until [ \"$(stty size)\" = '30 100' ]; do :; done; echo size'd'\r")
    shell.read_until(b"sized")
    shell.resize(90, 20)
    shell.process.send_signal(signal.SIGWINCH)
    shell.type(b"until [ \"$(stty size)\" = '20 90' ]; do :; done; echo re'sized'\r")
    shell.read_until(b"resized")
    assert not shell.is_restored()
    shell.type(b"exit 5\r")
    assert shell.process.wait(30) == 5
    assert shell.is_restored()


def test_interrupt_key_goes_to_the_remote_side(terminal):
    shell = terminal("workspace", "exec", "-it", "shell", "--", "sh", "-c",
                     "trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.1; done")
    shell.read_until(b"ready")
    shell.type(b"\x03")
    shell.read_until(b"caught")
    assert shell.process.wait(30) == 3


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_terminal_is_restored_when_it_is_killed(terminal, how):
    shell = terminal("workspace", "bash", "shell")
    shell.type(b"echo he'llo'\r")
    shell.read_until(b"hello")
    shell.process.send_signal(how)
    shell.process.wait(30)
    eventually(shell.is_restored, "the terminal is as it was")


def test_terminal_is_restored_when_its_whole_group_is_killed(terminal):
    shell = terminal("workspace", "bash", "shell")
    shell.type(b"echo he'llo'\r")
    shell.read_until(b"hello")
    os.killpg(shell.process.pid, signal.SIGKILL)
    shell.process.wait(30)
    eventually(shell.is_restored, "the terminal is as it was")


def test_detach_keys_leave_the_target_running(terminal, cli):
    attached = terminal("workspace", "attach", "-it", "terminal")
    attached.type(b"echo he'llo'\r")
    attached.read_until(b"hello")
    attached.type(b"\x10\x11")
    assert attached.process.wait(30) == 0
    assert attached.is_restored()
    assert b"Running" in cli.run("workspace", "describe", "terminal").stdout
