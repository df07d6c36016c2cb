"""sluice list, once and as things change."""
import json
import os
import subprocess

import pytest
import yaml

from support.catalogue import ALL, BASE, DUO, LINES, PROJECT, SHELL
from support.cli import PATIENCE, SLUICE, Cli, interrupt
from support.local import describe
from support.platform import GHOST, OPERATOR
from support.proxy import Proxy
from support.waiting import eventually

pytestmark = pytest.mark.local  # what they look at is the program, whatever runs the workloads


@pytest.fixture
def cli(platform, tmp_path):
    return Cli(platform.server, platform.token("alice"), PROJECT, tmp_path)


def cli_of(client, folder):
    return Cli(client.server, client.token, PROJECT, folder)


def words(line):
    return line.decode().split()


# --- once ---


def test_list_for_people_and_for_scripts(client, cli):
    body = client.get(f"{BASE}/api/v1/{PROJECT}/workloads").json
    header, *rows = cli.run("list").stdout.splitlines()
    assert words(header) == ["NAME", "TYPE", "FRAMEWORK", "PHASE", "PODS", "AGE", "MESSAGE"]
    assert {words(row)[0] for row in rows} >= {workload.name for workload in ALL}
    assert json.loads(cli.run("list", "-o", "json").stdout) == body
    assert yaml.safe_load(cli.run("list", "-o", "yaml").stdout) == body


def test_list_of_one_type(cli):
    for arguments in (("workspace", "list"), ("list", "--type", "workspace")):
        rows = cli.run(*arguments).stdout.splitlines()[1:]
        assert {words(row)[1] for row in rows} == {"workspace"}


@pytest.mark.parametrize("arguments", [("list",), ("describe", "shell"), ("status", "-o", "json")])
def test_a_full_disk_is_told_of(cli, arguments):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SLUICE, *arguments], stdout=full, stderr=subprocess.PIPE, check=False,
                              env=cli.environment)
    assert done.returncode == 1
    assert done.stderr == b"sluice: cannot write the output (write: No space left on device)\n"


# --- watching ---


@pytest.mark.local
def test_watch_shows_a_line_for_each_change_below_one_header(serve, tmp_path):
    client = serve(LINES, SHELL).settle(LINES, SHELL)
    process = cli_of(client, tmp_path).start("list", "--watch")
    shown = [words(process.stdout.readline()) for _ in range(3)]
    assert [row[0] for row in shown] == ["NAME", "lines", "shell"]
    client.server.reload(describe(LINES, DUO))
    phases = {}
    while phases.get("shell") != "Deleted" or phases.get("duo") != "Running":
        row = words(process.stdout.readline())
        phases[row[0]] = row[3]
    assert set(phases) == {"shell", "duo"}
    assert interrupt(process) == 130
    assert process.communicate() == (b"", b"")


@pytest.mark.local
def test_watch_as_json_is_a_document_a_line(serve, tmp_path):
    client = serve(LINES, SHELL).settle(LINES, SHELL)
    process = cli_of(client, tmp_path).start("training", "list", "-w", "-o", "json")
    first, second = (json.loads(process.stdout.readline()) for _ in range(2))
    listed, = client.get(f"{BASE}/api/v1/{PROJECT}/workloads", "type=training").json["workloads"]
    assert (first, second) == ({"event": "ADDED", "workload": listed}, {"event": "SYNCED"})
    client.server.reload(describe(SHELL))
    while (event := json.loads(process.stdout.readline()))["event"] != "DELETED":
        pass
    assert event["workload"]["name"] == "lines"
    assert interrupt(process) == 130
    process.communicate()


@pytest.mark.local
def test_watch_survives_a_cut_and_tells_what_changed_meanwhile(serve, tmp_path):
    client = serve(LINES, SHELL).settle(LINES, SHELL)
    proxy = Proxy(client.server.address)
    process = cli_of(client, tmp_path).start("list", "-w", SLUICE_SERVER=f"http://127.0.0.1:{proxy.port}/cluster-api")
    for _ in range(3):
        process.stdout.readline()
    proxy.stall()
    proxy.cut()
    client.server.reload(describe(LINES))
    eventually(lambda: client.phase(SHELL) is None, "it is gone")
    proxy.resume()
    row = words(process.stdout.readline())
    while row[3] != "Deleted":  # on its way there
        assert row[0] == "shell"
        row = words(process.stdout.readline())
    assert row[0] == "shell"
    assert interrupt(process) == 130
    output, said = process.communicate()
    assert output == b""
    assert [line for line in said.decode().splitlines() if "again" in line] == [
        said.decode().splitlines()[0], "sluice: connected again"]
    proxy.close()


def test_watch_that_nobody_reads_ends(cli):
    reads, writes = os.pipe()
    os.close(reads)  # before it starts: once the list is in a pipe, only a change would show it that nobody reads
    with open(writes, "wb") as closed:
        done = subprocess.run([SLUICE, "list", "-w", "-o", "json"], stdout=closed, stderr=subprocess.PIPE, check=False,
                              env=cli.environment, timeout=PATIENCE)
    assert done.returncode == 128 + 13


def test_watch_is_refused_as_the_list_is(platform, tmp_path, cli):
    assert cli.run("list", "-w", SLUICE_TOKEN="a.b.c").returncode == 3
    stranger = Cli(platform.server, platform.token("stranger"), PROJECT, tmp_path)
    assert stranger.run("list", "-w").returncode == 3
    operator = Cli(platform.server, platform.token(OPERATOR), GHOST, tmp_path)
    assert operator.run("list", "-w").returncode == 4


def test_watch_ends_when_its_token_has_expired(platform, tmp_path):
    short = Cli(platform.server, platform.server.token(ttl="2s"), PROJECT, tmp_path)
    done = short.run("list", "-w")
    assert done.returncode == 3
    assert "expired" in done.stderr.decode()
