"""How sluice reaches its server: TLS and whom it trusts, proxies, connections that are cut, a lot of bytes."""
import base64
import hashlib
import os
import random
import ssl
import threading

import pytest

from support.catalogue import LINES, PROJECT, SHELL, Workload, shell
from support.certificates import Authority
from support.cli import SLUICE, Cli, StderrLines
from support.client import Client
from support.connect_proxy import ConnectProxy
from support.proxy import Proxy
from support.server import SLUICED
from support.tcp import unused_port

pytestmark = pytest.mark.local  # what they look at is the program, whatever runs the workloads

NAME = "sluice.test"  # resolves nowhere (RFC 6761)
COUNT = 10_000
COUNTING = Workload("counting", (shell(f"i=0; while [ $i -lt {COUNT} ]; do i=$((i+1)); echo number $i; "
                                       "[ $((i % 50)) -ne 0 ] || sleep 0.05; done"),), phase="Completed")
BLOCK = 1 << 20
BLOCKS = 64 if "debug" in SLUICED + SLUICE else 1024


@pytest.fixture
def cli(platform, tmp_path):
    return Cli(platform.server, platform.token("alice"), PROJECT, tmp_path)


# --- TLS ---


@pytest.fixture
def secure(serve, tmp_path):
    """The program, and a server whose certificate a private authority has issued: it is in ca.pem of HOME."""
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    client = serve(LINES, SHELL, tls=authority.issue(tmp_path, NAME))
    tls = ssl.create_default_context(cadata=authority.pem.decode())
    Client(client.server, client.token, tls).settle(LINES, SHELL)
    made = Cli(client.server, client.token, PROJECT, tmp_path)
    made.server = client.server
    made.environment["SLUICE_SERVER"] = f"https://localhost:{client.server.address[1]}/cluster-api"
    made.environment["SLUICE_CA_FILE"] = str(tmp_path / "ca.pem")
    return made


def test_private_authority_is_trusted_when_it_is_named(secure):
    assert secure.run("status").returncode == 0
    file = secure.environment.pop("SLUICE_CA_FILE")
    assert secure.run("status", "--ca-file", file).returncode == 0
    done = secure.run("workspace", "exec", "-i", "shell", "--ca-file", file, "--", "cat", stdin=b"through TLS")
    assert (done.returncode, done.stdout) == (0, b"through TLS")


def test_unknown_authority_is_refused_and_the_error_says_what_to_do(secure):
    del secure.environment["SLUICE_CA_FILE"]
    for arguments in (("status",), ("training", "logs", "lines")):
        done = secure.run(*arguments)
        assert (done.returncode, done.stdout) == (5, b"")
        assert "certificate not trusted" in done.stderr.decode()
        assert "--ca-file" in done.stderr.decode()
    assert secure.run("status", "--insecure-skip-tls-verify").returncode == 0


def test_another_authority_does_not_help(secure, tmp_path):
    (tmp_path / "other.pem").write_bytes(Authority().pem)
    assert secure.run("status", "--ca-file", str(tmp_path / "other.pem")).returncode == 5


def test_certificate_of_another_name_is_refused(secure):
    proxy = ConnectProxy(secure.server.address)
    done = secure.run("status", SLUICE_SERVER="https://other.test/cluster-api", HTTPS_PROXY=proxy.url)
    proxy.close()
    assert done.returncode == 5
    assert "mismatch" in done.stderr.decode()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_read_are_a_usage_error(secure, tmp_path, content):
    if content:
        (tmp_path / "bad.pem").write_text(content)
    done = secure.run("status", "--ca-file", str(tmp_path / "bad.pem"))
    assert done.returncode == 2
    assert f"{tmp_path}/bad.pem" in done.stderr.decode()


def test_https_at_a_port_without_tls_says_so(cli):
    done = cli.run("status", SLUICE_SERVER=cli.environment["SLUICE_SERVER"].replace("http:", "https:"))
    assert done.returncode == 5
    assert "is it http://" in done.stderr.decode()


@pytest.mark.parametrize("port", ["0", "99999", "port"])
def test_port_that_is_none_is_a_usage_error(cli, port):
    done = cli.run("status", "--server", f"http://127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (2, b"")


def test_password_in_a_servers_url_is_refused_and_not_shown(cli):
    done = cli.run("status", "--server", "http://me:secret@127.0.0.1")
    assert done.returncode == 2
    assert "password" in done.stderr.decode() and "secret" not in done.stderr.decode()


# --- proxies ---


@pytest.fixture
def proxy(secure):
    made = ConnectProxy(secure.server.address)
    secure.environment["SLUICE_SERVER"] = f"https://{NAME}/cluster-api"
    yield made
    made.close()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_server_is_reached_through_a_proxy_that_resolves_its_name(secure, proxy, variable):
    secure.environment[variable] = proxy.url
    assert secure.run("status").returncode == 0
    done = secure.run("workspace", "exec", "-i", "shell", "--", "cat", stdin=b"through a proxy")
    assert done.stdout == b"through a proxy"
    assert proxy.asked == [f"{NAME}:443"] * 2


@pytest.mark.parametrize("exempt", [NAME, "other.example, .test", "*"])
def test_no_proxy_for_what_is_exempt(secure, proxy, exempt):
    done = secure.run("status", HTTPS_PROXY=proxy.url, NO_PROXY=exempt)
    assert done.returncode == 5  # no such host
    assert proxy.asked == []
    assert secure.run("status", HTTPS_PROXY=proxy.url, NO_PROXY="other.example").returncode == 0


def test_proxy_that_refuses_is_told_of(secure):
    refusing = ConnectProxy(secure.server.address, refusal="407 Proxy Authentication Required")
    done = secure.run("status", SLUICE_SERVER=f"https://{NAME}/cluster-api", HTTPS_PROXY=refusing.url)
    refusing.close()
    assert done.returncode == 5
    assert "407" in done.stderr.decode()


def test_proxy_is_given_its_user_and_password(secure, proxy):
    secure.environment["HTTPS_PROXY"] = proxy.url.replace("http://", "http://me:p%40ss@")
    assert secure.run("status").returncode == 0
    assert proxy.authorizations == ["Basic " + base64.b64encode(b"me:p@ss").decode()]


@pytest.mark.parametrize("url, words", [
    ("http://me:secret@proxy.test:port", "HTTPS_PROXY"), ("socks4://proxy.test", "http:// or socks5://")])
def test_proxy_that_cannot_be_is_refused_without_its_password(secure, url, words):
    done = secure.run("status", SLUICE_SERVER=f"https://{NAME}/cluster-api", HTTPS_PROXY=url)
    assert done.returncode == 2
    assert words in done.stderr.decode() and "secret" not in done.stderr.decode()


def test_proxy_that_is_not_there_is_named(secure):
    port = unused_port()
    done = secure.run("status", SLUICE_SERVER=f"https://{NAME}/cluster-api", HTTPS_PROXY=f"http://127.0.0.1:{port}")
    assert done.returncode == 5
    assert f"the proxy 127.0.0.1:{port}" in done.stderr.decode()


# --- cuts ---


@pytest.mark.slow
def test_no_number_is_missing_or_comes_twice_over_twenty_cuts(serve, tmp_path):
    client = serve(COUNTING)
    seeded = random.Random(4711)
    cuts = sorted(seeded.sample(range(1, COUNT), 20), reverse=True)
    proxy = Proxy(client.server.address)
    cli = Cli(client.server, client.token, PROJECT, tmp_path)
    process = cli.start("logs", "-f", "counting",
                        SLUICE_SERVER=f"http://127.0.0.1:{proxy.port}/cluster-api")
    said = StderrLines(process)
    for number, line in enumerate(process.stdout, 1):
        assert line == b"number %d\n" % number
        # What was in the pipe comes at once: a cut waits until there is a connection, or it would meet none.
        is_connected = proxy.connections and said.count("connecting again") == said.count("connected again")
        if cuts and number >= cuts[-1] and is_connected:
            cuts.pop()
            proxy.cut()
    assert number == COUNT
    assert process.wait(30) == 0
    said.end()
    process.communicate()
    proxy.close()
    assert said.count("connecting again") == said.count("connected again") > 10


# --- a lot of bytes ---


def blocks():
    """BLOCKS blocks, no two alike."""
    block = os.urandom(BLOCK - 8)
    for number in range(BLOCKS):
        yield number.to_bytes(8, "big") + block


@pytest.mark.slow
def test_a_gibibyte_goes_through_pipes_both_ways(cli):
    process = cli.start("workspace", "exec", "-i", "shell", "--", "cat")
    sent, received, size = hashlib.sha256(), hashlib.sha256(), 0

    def send():
        for block in blocks():
            sent.update(block)
            process.stdin.write(block)
        process.stdin.close()
    sender = threading.Thread(target=send)
    sender.start()
    while data := process.stdout.read(BLOCK):
        received.update(data)
        size += len(data)
    sender.join()
    assert (process.wait(30), size) == (0, BLOCKS * BLOCK)
    assert received.digest() == sent.digest()
    process.stderr.close()


@pytest.mark.slow
def test_a_gibibyte_to_the_command_alone(cli):
    process = cli.start("workspace", "exec", "-i", "shell", "--", "sha256sum")
    sent = hashlib.sha256()
    for block in blocks():
        sent.update(block)
        process.stdin.write(block)
    process.stdin.close()
    assert process.stdout.read().split()[0].decode() == sent.hexdigest()
    assert process.wait(30) == 0
    process.stdout.close()
    process.stderr.close()


# --- names ---


@pytest.mark.parametrize("arguments", [
    ("logs", "linse"), ("training", "logs", "linse"), ("logs", "-f", "linse"), ("logs", "--all-pods", "linse"),
    ("training", "logs", "linse", "-o", "/dev/null"), ("exec", "linse", "--", "true"), ("training", "attach", "linse"),
    ("training", "bash", "linse"), ("training", "port-forward", "linse", "--port", ":80"), ("describe", "linse"),
    ("training", "describe", "linse")])
def test_mistyped_name_is_answered_by_the_nearest(cli, arguments):
    done = cli.run(*arguments)
    assert (done.returncode, done.stdout) == (4, b"")
    assert 'no workload "linse"' in done.stderr.decode()
    assert 'did you mean "lines"?' in done.stderr.decode()
