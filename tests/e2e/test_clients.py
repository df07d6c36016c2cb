"""Clients that we did not write: logs, exec and port-forward by each of them."""
import asyncio
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading

import kubernetes
import pytest
import websockets
from kubernetes.stream import ws_client
from websockets.sync.client import connect

from support.catalogue import LINES, SHELL, TERMINAL, TICKER
from support.client import argv, with_query
from support.server import ROOT
from support.tcp import receive, unused_port
from support.waiting import TIMEOUT, eventually

NODE = ROOT / "tests/clients/node"
HUNDRED = [f"line {number}\n" for number in range(1, 101)]
SCRIPT = "cat; echo err >&2; exit 3"


def url(client, path, query=None, scheme="ws"):
    return "{}://{}:{}".format(scheme, *client.server.address) + with_query(path, query)


def run(*command, text="", timeout=60):
    """Runs a client to its end: its standard output."""
    result = subprocess.run(list(map(str, command)), input=text, capture_output=True, text=True,
                            timeout=timeout, check=False)
    assert result.returncode == 0, (result.stdout, result.stderr)
    return result.stdout


@pytest.fixture
def echo(listener):
    """A port that gives one line of six bytes back, then ends."""

    def serve():
        try:
            with listener.accept() as connection:
                connection.sendall(b"echo " + receive(connection, 6))
        except OSError:
            pass  # no client came
    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.port
    thread.join()


# --- websocat, in the forms of README ---


def websocat_command(client, options, path, query=None):
    places = os.environ["PATH"] + f":{ROOT}/build/tools/bin:{pathlib.Path.home()}/.cargo/bin"
    program = shutil.which("websocat", path=places)
    assert program, "websocat is missing: ./dev setup"
    # With "-H" and a space, websocat takes the arguments that follow for further headers.
    header = f"-H=Authorization: Bearer {client.token}"
    return [program, options[0], header, *options[1:], url(client, path, query)]


@pytest.fixture
def websocat(client):
    def start(options, path, query=None, text=""):
        return run(*websocat_command(client, options, path, query), text=text)
    return start


def test_websocat_logs(websocat):
    assert websocat(["-bn"], LINES.path("logs")) == "".join(HUNDRED)
    assert websocat(["-bn"], LINES.path("logs"), "tailLines=2") \
        == "line 99\nline 100\n"


def test_websocat_follow(client):
    command = websocat_command(client, ["-b"], TICKER.path("logs"), "follow=true&tailLines=1")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        lines = [process.stdout.readline() for _ in range(5)]
        process.terminate()
    assert all(line.startswith(b"tick ") for line in lines)


def test_websocat_exec_by_header_and_query(websocat):
    path = SHELL.path("exec")
    by_header = ["-bn", "-H=Command: " + argv("sh", "-c", "echo hi")]
    assert websocat(by_header, path) == "hi\n"
    assert websocat(["-bn"], path, {"command": argv("echo", "by query")}) == "by query\n"


def test_websocat_exec_with_stdin(websocat):
    command = ["sh", "-c", "while read line; do echo got $line; [ $line = end ] && exit; done"]
    assert websocat(["-bn"], SHELL.path("exec"),
                    {"command": argv(*command), "stdin": "true"}, text="one\nend\n") \
        == "got one\ngot end\n"


def test_websocat_port_forward(client, echo):
    local = unused_port()
    process = subprocess.Popen(websocat_command(
        client, ["-bE", f"tcp-l:127.0.0.1:{local}"], LINES.path("port-forward"), {"port": echo}))

    def joined():
        try:
            return socket.create_connection(("127.0.0.1", local))
        except ConnectionRefusedError:
            return None
    with eventually(joined, "websocat listens") as connection:
        connection.settimeout(TIMEOUT)
        connection.sendall(b"hello\n")
        assert receive(connection, 11) == b"echo hello\n"
    process.terminate()
    process.wait()


# --- Python websockets ---


def headers(client):
    return {"Authorization": f"Bearer {client.token}"}


def open_sync(client, path, query=None, **options):
    return connect(url(client, path, query), additional_headers=headers(client), open_timeout=TIMEOUT, **options)


def test_python_websockets_logs(client):
    with open_sync(client, LINES.path("logs")) as session:
        assert [message.decode() for message in session] == HUNDRED
    assert (session.close_code, session.close_reason) == (1000, "end of logs")


def test_python_websockets_asyncio_follow_and_pings(serve):
    client = serve(SHELL, sessions={"pingInterval": "200ms", "idleTimeout": "3s"}).settle(SHELL)

    async def follow():
        target = url(client, SHELL.path("exec"), {"command": argv("sh", "-c", "sleep 4; echo on")})
        async with websockets.connect(target, additional_headers=headers(client), open_timeout=TIMEOUT) as session:
            return [message async for message in session]
    assert asyncio.run(follow()) == [b"on\n"]


def test_python_websockets_exec(client):
    query = {"command": argv("sh", "-c", SCRIPT), "stdin": "true", "stdinEof": "empty"}
    with open_sync(client, SHELL.path("exec"), query) as session:
        session.send(b"bytes\n")
        session.send("text\n")
        session.send(b"")
        lines = b"".join(session).splitlines()
    assert lines.index(b"bytes") < lines.index(b"text") and sorted(lines) == [b"bytes", b"err", b"text"]
    assert (session.close_code, session.close_reason) == (1000, "exit code 3")


def test_python_websockets_with_compression(serve):
    client = serve(LINES, websocket={"compression": True}).settle(LINES).await_lines(LINES, 100)
    with open_sync(client, LINES.path("logs"), compression="deflate") as session:
        assert [message.decode() for message in session] == HUNDRED
        assert session.protocol.extensions


def test_python_websockets_port_forward(client, echo):
    with open_sync(client, LINES.path("port-forward"), {"port": echo}) as session:
        session.send(b"hello\n")
        assert b"".join(session) == b"echo hello\n"
    assert session.close_code == 1000


# --- Node ws and Go gorilla/websocket: the same by both ---


@pytest.fixture(params=["node ws", "go gorilla"])
def other(request, client):
    """other(path, query, text, HEADER="value"): the result that the program prints."""
    program = {"node ws": ["node", NODE / "ws.js"],
               "go gorilla": [ROOT / "build/tools/bin/gorilla"]}[request.param]

    def talk(path, query=None, text="", token=client.token, **extra):
        pairs = [f"{name}={value}" for name, value in extra.items()]
        return json.loads(run(*program, url(client, path, query), token, *pairs, text=text))
    return talk


def texts(result):
    return "".join(message if isinstance(message, str) else message["text"]
                   for message in result["messages"] or [])


def test_other_logs(other):
    result = other(LINES.path("logs"))
    assert (texts(result), len(result["messages"])) == ("".join(HUNDRED), 100)
    assert (result["code"], result["reason"]) == (1000, "end of logs")


def test_other_exec_with_stdin(other):
    script = "read line; echo got $line; exit 4"
    result = other(SHELL.path("exec"), "stdin=true", "a line\n", Command=argv("sh", "-c", script))
    assert texts(result) == "got a line\n"
    assert (result["code"], result["reason"]) == (1000, "exit code 4")


def test_other_port_forward(other, echo):
    result = other(LINES.path("port-forward"), {"port": echo}, "hello\n")
    assert (texts(result), result["code"]) == ("echo hello\n", 1000)


def test_other_sees_401(other):
    assert other(LINES.path("logs"), token="nonsense")["status"] == 401


# --- @kubernetes/client-node ---


def client_node(client, mode, path, query, text=""):
    server = url(client, "", scheme="http")
    output = run("node", NODE / "kubernetes.js", mode, server, client.token,
                 with_query(path, query), text=text)
    return json.loads(output)


def test_client_node_exec_splits_streams_closes_stdin_and_gives_the_exit_code(client):
    query = {"command": argv("sh", "-c", SCRIPT), "stdin": "true"}
    result = client_node(client, "exec", SHELL.path("exec"), query, "input\n")
    assert result["protocol"] == "v5.channel.k8s.io"
    assert (result["out"], result["err"]) == ("input\n", "err\n")
    assert result["status"]["status"] == "Failure"
    assert result["status"]["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


def test_client_node_exec_success(client):
    query = {"command": argv("cat"), "stdin": "true"}
    result = client_node(client, "exec", SHELL.path("exec"), query, "x" * 100_000)
    assert result["out"] == "x" * 100_000
    assert result["status"]["status"] == "Success"


def test_client_node_port_forward(client, echo):
    result = client_node(client, "forward", LINES.path("port-forward"), {"port": echo}, "hello\n")
    assert result["protocol"] == "v4.channel.k8s.io"
    assert result["out"] == "echo hello\n"


# --- the Python kubernetes stream client ---


def stream(client, path, query):
    """A WSClient as kubernetes.stream makes it, on a path of sluice."""
    configuration = kubernetes.client.Configuration()
    return ws_client.WSClient(configuration, url(client, path, query),
                              {"authorization": f"Bearer {client.token}"}, capture_all=True)


def test_kubernetes_python_exec_splits_streams_and_gives_the_returncode(client):
    session = stream(client, SHELL.path("exec"),
                     {"command": argv("sh", "-c", "echo out; echo err >&2; exit 3")})
    session.run_forever(timeout=60)
    assert session.read_stdout() == "out\n"
    assert session.read_stderr() == "err\n"
    assert session.returncode == 3


def test_kubernetes_python_exec_success_has_returncode_0(client):
    session = stream(client, SHELL.path("exec"), {"command": argv("true")})
    session.run_forever(timeout=60)
    assert session.returncode == 0


def test_kubernetes_python_stdin_and_v5_close(client):
    session = stream(client, SHELL.path("exec"), {"command": argv("sort"), "stdin": "true"})
    assert session.subprotocol == "v5.channel.k8s.io"
    session.write_stdin("b\n")
    session.write_stdin("a\n")
    session.close_channel(0)
    session.run_forever(timeout=60)
    assert session.read_stdout() == "a\nb\n"
    assert session.returncode == 0


def test_kubernetes_python_resize(client):
    script = "read x; until stty size 2>/dev/null | grep '33 99'; do sleep 0.05; done"
    session = stream(client, SHELL.path("exec"), {"command": argv("sh", "-c", script),
                                                  "stdin": "true", "tty": "true"})
    session.write_channel(ws_client.RESIZE_CHANNEL, json.dumps({"Width": 99, "Height": 33}))
    session.write_stdin("\n")
    session.run_forever(timeout=60)
    assert "33 99" in session.read_stdout()


def test_kubernetes_python_attach(client):
    session = stream(client, TERMINAL.path("attach"), {})
    assert session.is_open()
    session.close()


def forward(client, ports):
    session = stream(client, LINES.path("port-forward"), [("port", port) for port in ports])
    return ws_client.PortForward(session.sock, ports)


def test_kubernetes_python_port_forward(client, echo):
    ports = forward(client, [echo])
    connection = ports.socket(echo)
    connection.settimeout(TIMEOUT)
    connection.sendall(b"hello\n")
    assert receive(connection, 11) == b"echo hello\n"
    ports.close()


def test_kubernetes_python_port_forward_reports_an_error_by_port(client, echo):
    refused = unused_port()
    ports = forward(client, [refused, echo])
    assert "refused" in eventually(lambda: ports.error(refused), "the error channel").lower()
    connection = ports.socket(echo)
    connection.settimeout(TIMEOUT)
    connection.sendall(b"hello\n")
    assert receive(connection, 11) == b"echo hello\n"
    assert ports.error(echo) is None
    ports.close()
