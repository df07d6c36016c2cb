"""sluice logs, status and describe, as a person or a script uses them."""
import json
import os
import re
import subprocess

import pytest
import yaml

from support.catalogue import BASE, FINISHED, LONG, PROJECT, SHELL
from support.cli import PATIENCE, SLUICE, Cli, StderrLines, interrupt
from support.proxy import Proxy
from support.waiting import eventually

HUNDRED = b"".join(b"line %d\n" % i for i in range(1, 101))
STAMPED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line \d+")


@pytest.fixture
def cli(platform, tmp_path):
    return Cli(platform.server, platform.token("alice"), PROJECT, tmp_path)


# --- logs ---


@pytest.mark.parametrize("options, expected", [
    ((), HUNDRED), (("-t", "1"), b"line 100\n"), (("--tail", "0"), b""), (("--tail=-1",), HUNDRED),
    (("--limit-bytes", "9"), b"line 1\nli"), (("--since", "3h"), HUNDRED),
    (("--since-time", "2999-01-01T00:00:00Z"), b""), (("-c", "main"), HUNDRED)])
def test_logs_are_the_containers_lines(cli, options, expected):
    done = cli.run("training", "logs", "lines", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, b"")


def test_logs_with_timestamps(cli):
    lines = cli.run("training", "logs", "lines", "--timestamps").stdout.splitlines()
    assert len(lines) == 100
    assert all(STAMPED.fullmatch(line) for line in lines)


def test_a_last_line_without_an_end_stays_so(cli):
    for follow in ((), ("-f",)):
        assert cli.run("training", "logs", "finished", *follow).stdout == b"first\n\nno newline"


@pytest.mark.parametrize("follow", [(), ("-f",)])
def test_long_lines_are_whole(client, cli, follow):
    expected = b"".join(client.logs(LONG)[0])
    done = cli.run("training", "logs", "long", *follow)
    assert (done.returncode, done.stdout == expected) == (0, True)


def test_follow_shows_lines_as_they_come_until_interrupted(cli):
    process = cli.start("training", "logs", "-f", "ticker", "--tail", "2")
    numbers = [int(process.stdout.readline().split()[1]) for _ in range(6)]
    assert numbers == list(range(numbers[0], numbers[0] + 6))
    assert interrupt(process) == 130
    assert process.communicate()[1] == b""


def test_follow_begins_at_the_very_time(cli):
    lines = cli.run("training", "logs", "lines", "--timestamps").stdout.splitlines(keepends=True)
    stamps = [line.split()[0] for line in lines]
    begin = stamps.index(stamps[50])
    done = cli.run("training", "logs", "-f", "lines", "--since-time", stamps[50].decode(), "--timestamps",
                   "--limit-bytes", str(sum(map(len, lines[begin:]))))
    assert done.stdout.splitlines(keepends=True) == lines[begin:]


def test_follow_with_a_limit_ends_there(cli):
    done = cli.run("training", "logs", "-f", "lines", "--limit-bytes", "10")
    assert (done.returncode, done.stdout) == (0, HUNDRED[:10])


def test_output_that_does_not_block_is_waited_for(cli):
    ours, its = os.pipe()
    os.set_blocking(its, False)
    process = subprocess.Popen([SLUICE, "workspace", "exec", "shell", "--", "seq", "1", "100000"], stdout=its,
                               stderr=subprocess.PIPE, env=cli.environment)
    os.close(its)
    with open(ours, "rb") as reader:
        output = reader.read()
    assert process.communicate(timeout=30)[1] == b""
    assert output == b"".join(b"%d\n" % number for number in range(1, 100001))
    assert process.returncode == 0


def test_output_that_nobody_reads_ends_it(cli):
    process = cli.start("training", "logs", "-f", "ticker")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(PATIENCE) == 128 + 13
    process.communicate()


# --- lost connections ---


@pytest.fixture
def cut(cli, platform):
    """(the program behind a proxy, the proxy)"""
    proxy = Proxy(platform.server.address)
    cli.environment["SLUICE_SERVER"] = f"http://127.0.0.1:{proxy.port}/cluster-api"
    yield cli, proxy
    proxy.close()


@pytest.mark.parametrize("options", [(), ("--timestamps",)])
def test_a_follow_survives_cuts_without_losing_or_repeating_a_line(cut, options):
    cli, proxy = cut
    process = cli.start("training", "logs", "-f", "ticker", "--tail", "1", *options)
    said = StderrLines(process)
    numbers = []
    # Lines say nothing of now, for many may be in the pipe: what it says tells how often it was cut and came back.
    while said.count("connected again") < 3 and len(numbers) < 2000:
        numbers.append(int(process.stdout.readline().split()[-1]))
        if len(numbers) % 20 == 10:
            proxy.cut()
    numbers += [int(process.stdout.readline().split()[-1]) for _ in range(10)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert interrupt(process) == 130
    said.end()
    process.communicate()
    # One cut more may have come before we saw that it was connected again.
    assert 3 <= said.count("connected again") <= said.count("connecting again") <= said.count("connected again") + 1


def test_a_read_that_is_cut_is_no_success(cut):
    cli, proxy = cut
    proxy.stall()
    process = cli.start("training", "logs", "long")
    eventually(lambda: proxy.connections > 0, "it has connected")
    proxy.cut()
    proxy.resume()
    assert process.wait(30) == 5
    assert process.communicate()[1].startswith(b"sluice: ")


# --- what goes wrong ---


@pytest.mark.parametrize("arguments, code, words", [
    (("training", "logs", "lines", "--pod", "nope"), 4, "nope"),
    (("training", "logs", "lines", "-c", "nope"), 4, "main"),
    (("training", "logs", "nope"), 4, 'workload "nope"'),
    (("logs",), 2, "NAME"), (("trainin", "logs", "x"), 2, '"training"'),
    (("training", "lgos"), 2, '"logs"'),
    (("logs", "lines", "--folow"), 2, "--folow"),
    (("workload", "logs", "lines", "--type", "training", "--framework", "tf"), 2, "training/runai"),
    (("training", "logs", "lines", "--since", "soon"), 2, "duration"),
    (("training", "logs", "lines", "--since-time", "soon"), 2, "time"),
    (("training", "logs", "lines", "--tail", "-2"), 2, "-2"),
    (("training", "logs", "lines", "--tail", "99999999999999999999"), 2, "99999999999999999999"),
    (("training", "logs", "lines", "--limit-bytes", "-1"), 2, "a whole number, 1 or more"),
    (("training", "logs", "lines", "--timestamps=xyz"), 2, "--timestamps takes no value"),
    (("list", "-o", "xml"), 2, '"xml" is none of: table, json, yaml'),
    (("list", "-o", "1"), 2, '"1" is none of: table, json, yaml'),
    (("training", "tensorflow", "logs", "lines"), 4, "there is one of training/runai")])
def test_failures_say_what_is_wrong(cli, arguments, code, words):
    done = cli.run(*arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert words in done.stderr.decode()


def test_no_words_at_all_show_the_help(cli):
    done = cli.run()
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Usage: sluice" in done.stdout


def test_empty_token_file_is_named(platform, tmp_path):
    (tmp_path / "token").write_text("\n")
    done = Cli(platform.server, None, PROJECT, tmp_path).run("status", "--token-file", str(tmp_path / "token"))
    assert done.returncode == 3
    assert f"{tmp_path}/token: no token there: it is empty" in done.stderr.decode()


def test_bad_token_says_what_to_do(cli):
    done = cli.run("status", SLUICE_TOKEN="a.b.c")
    assert done.returncode == 3
    assert "SLUICE_TOKEN" in done.stderr.decode()


def test_no_token_at_all(platform, tmp_path):
    done = Cli(platform.server, None, PROJECT, tmp_path).run("status")
    assert done.returncode == 3
    assert "SLUICE_TOKEN" in done.stderr.decode()


def test_forbidden_is_not_found_out_about(platform, tmp_path):
    stranger = Cli(platform.server, platform.token("stranger"), PROJECT, tmp_path)
    for name in ("lines", "nope"):
        assert stranger.run("training", "logs", name).returncode == 3


def test_no_server(cli):
    done = cli.run("status", SLUICE_SERVER="http://127.0.0.1:1")
    assert done.returncode == 5
    assert "127.0.0.1:1" in done.stderr.decode()
    assert "refused" in done.stderr.decode()


# --- status and describe ---


def test_status_for_people_and_for_scripts(client, cli):
    body = client.get(BASE + "/status").json
    table = cli.run("status")
    assert table.returncode == 0
    assert table.stdout.decode().startswith("OK: ")
    assert "portForward" in table.stdout.decode()
    assert json.loads(cli.run("status", "-o", "json").stdout) == body
    assert yaml.safe_load(cli.run("status", "-o", "yaml").stdout) == body


def test_describe_shows_the_phase(cli):
    assert re.search(r"phase: +Completed", cli.run("training", "describe", FINISHED.name).stdout.decode())
    described = json.loads(cli.run("workspace", "describe", SHELL.name, "-o", "json").stdout)
    assert (described["name"], described["phase"]) == (SHELL.name, "Running")


def test_version_and_help_need_no_server(cli):
    assert cli.run("version", SLUICE_SERVER="").stdout.startswith(b"sluice ")
    for arguments in (("--help",), ("logs", "--help"), ("training", "pytorch", "logs", "--help")):
        done = cli.run(*arguments, SLUICE_SERVER="")
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"Usage: sluice" in done.stdout
