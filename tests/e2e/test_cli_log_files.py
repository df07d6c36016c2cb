"""sluice logs -o FILE and --wait-timeout."""
import os
import pty
import stat
import subprocess

import pytest

from support.catalogue import FINISHED, LONG, PROJECT, SHELL
from support.cli import SLUICE, Cli, interrupt
from support.local import describe
from support.proxy import Proxy
from support.waiting import eventually

pytestmark = pytest.mark.local  # what they look at is the program, whatever runs the workloads

HUNDRED = b"".join(b"line %d\n" % i for i in range(1, 101))


@pytest.fixture
def cli(platform, tmp_path):
    return Cli(platform.server, platform.token("alice"), PROJECT, tmp_path)


@pytest.fixture
def folder(tmp_path):
    """Of the files alone."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


# --- to a file ---


def test_file_has_the_log_and_nothing_else_is_said(cli, folder):
    done = cli.run("training", "logs", "lines", "-o", str(folder / "log"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (folder / "log").read_bytes() == HUNDRED
    assert os.listdir(folder) == ["log"]


def test_options_of_the_log_apply_to_the_file(cli, folder):
    cli.run("training", "logs", "lines", "-o", str(folder / "log"), "--tail", "2", "--limit-bytes", "10")
    assert (folder / "log").read_bytes() == b"line 99\nli"


def test_file_that_is_replaced_keeps_its_mode_and_its_links(cli, folder):
    file, link = folder / "log", folder / "link"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to("log")
    assert cli.run("training", "logs", "lines", "-o", str(link)).returncode == 0
    assert link.is_symlink()
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (HUNDRED, 0o640)


def test_what_is_no_file_is_written_to_as_it_is(cli):
    done = cli.run("training", "logs", "lines", "-o", "/dev/stdout")
    assert (done.returncode, done.stdout) == (0, HUNDRED)
    assert cli.run("training", "logs", "lines", "-o", "/dev/null").returncode == 0
    assert not os.path.isfile("/dev/null")


@pytest.mark.parametrize("how", ["cut", "interrupt"])
def test_log_that_is_not_whole_replaces_nothing(platform, cli, folder, how):
    (folder / "log").write_text("old")
    proxy = Proxy(platform.server.address)
    proxy.stall_after(1 << 20)
    process = cli.start("training", "logs", LONG.name, "-o", str(folder / "log"),
                        SLUICE_SERVER=f"http://127.0.0.1:{proxy.port}/cluster-api")
    eventually(lambda: any(file.stat().st_size for file in folder.iterdir() if file.name != "log"), "it is under way")
    if how == "cut":
        proxy.cut()
        assert process.wait(30) == 5
        assert b"before the log's end" in process.communicate()[1]
    else:
        assert interrupt(process) == 130
        process.communicate()
    proxy.close()
    assert os.listdir(folder) == ["log"]
    assert (folder / "log").read_text() == "old"


def test_refused_log_leaves_the_file(cli, folder):
    (folder / "log").write_text("old")
    assert cli.run("training", "logs", "nope", "-o", str(folder / "log")).returncode == 4
    assert (folder / "log").read_text() == "old"


@pytest.mark.parametrize("options", [(), ("-f",)])
def test_file_that_cannot_be_written_is_a_usage_error(cli, folder, options):
    done = cli.run("training", "logs", "finished", *options, "-o", str(folder / "no" / "log"))
    assert done.returncode == 2
    assert b"No such file or directory" in done.stderr


def test_followed_log_is_written_as_it_comes(cli, folder):
    file = folder / "log"
    process = cli.start("training", "logs", "-f", "ticker", "--tail", "1", "-o", str(file))
    eventually(lambda: file.exists() and len(file.read_bytes().splitlines()) > 3, "lines have come")
    assert interrupt(process) == 130
    process.communicate()


def test_progress_is_shown_at_a_terminal(cli, folder):
    master, slave = pty.openpty()
    command = [SLUICE, "training", "logs", "long", "-o", str(folder / "log")]
    process = subprocess.Popen(command, stderr=slave, env=cli.environment)
    assert process.wait(30) == 0
    os.close(slave)
    shown = b""
    while not shown.endswith(b"\r\n"):
        shown += os.read(master, 4096)
    os.close(master)
    assert b"log: 2.5 MiB, " in shown
    assert b"/s\r\n" in shown


# --- waiting ---


@pytest.mark.local
def test_wait_for_a_workload_that_is_yet_to_come(serve, tmp_path):
    client = serve(SHELL)
    cli = Cli(client.server, client.token, PROJECT, tmp_path)
    process = cli.start("logs", "-f", "finished", "--wait-timeout", "60s")
    assert process.stderr.readline() == b'sluice: waiting for workload "finished"\n'
    client.server.reload(describe(SHELL, FINISHED))
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, b"first\n\nno newline")


def test_no_wait_for_what_has_started(cli):
    done = cli.run("logs", "lines", "--wait-timeout", "1h")
    assert (done.returncode, done.stdout, done.stderr) == (0, HUNDRED, b"")


@pytest.mark.parametrize("arguments, missing", [
    (("logs", "nope"), 'workload "nope"'), (("training", "logs", "nope"), 'workload "nope"'),
    (("training", "logs", "empty"), "a pod"), (("training", "logs", "lines", "--pod", "nope"), 'pod "nope"')])
def test_wait_that_takes_too_long_says_for_what(cli, arguments, missing):
    done = cli.run(*arguments, "--wait-timeout", "10ms")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines() == [f"sluice: waiting for {missing}",
                                                 f"sluice: timed out waiting for {missing}"]


@pytest.mark.parametrize("arguments, code", [
    (("training", "logs", "lines", "-c", "nope"), 4), (("workload", "logs", "x", "--type", "nope"), 2)])
def test_what_waiting_does_not_change_is_not_waited_for(cli, arguments, code):
    assert cli.run(*arguments, "--wait-timeout", "1h").returncode == code


def test_who_may_not_see_the_status_does_not_wait(platform, tmp_path):
    reader = Cli(platform.server, platform.token("only-logs"), PROJECT, tmp_path)
    assert reader.run("training", "logs", "lines", "--wait-timeout", "1h").stdout == HUNDRED
