"""Contract §7: port forward."""
import contextlib
import os
import select
import socket
import statistics
import struct
import threading
import time

import pytest

from support.catalogue import LINES, MIB
from support.channels import V4
from support.rawws import Closed
from support.tcp import Listener, receive, receive_all
from support.waiting import eventually

FORWARD = LINES.path("port-forward")


@pytest.fixture
def joined(client, listener):
    """A raw session and the TCP connection that it became: (session, connection)."""
    with client.open(FORWARD, {"port": listener.port}) as session:
        with listener.accept() as connection:
            yield session, connection


@pytest.fixture
def closed_port():
    """One that nothing listens on, nor can, as long as it is kept."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


@contextlib.contextmanager
def talking(connection):
    """The pod's side sends all the time, as long as it can, whatever it reads."""
    over = threading.Event()

    def talk():
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection.sendall(b"talk" * 256)
    talker = threading.Thread(target=talk)
    talker.start()
    try:
        yield
    finally:
        over.set()
        talker.join()


# --- the query ---


@pytest.mark.parametrize("query", [
    "", "port=", "port=0", "port=65536", "port=-1", "port=x", "port=80,81", "port=80&port=",
    "port=1.5", "port=080x", "port=99999999999", "port=%2B80", "&".join(["port=80"] * 17)])
def test_bad_port_is_400(client, query):
    answer = client.refused(FORWARD, query)
    assert answer.status == 400
    assert "port" in answer.message


def test_container_is_accepted_and_only_checked(client, listener):
    with client.open(FORWARD, {"port": listener.port, "container": "main"}):
        listener.accept().close()
    assert client.refused(FORWARD, {"port": listener.port, "container": "no"}).status == 404


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "SPDY/3.1+portforward.k8s.io"])
def test_other_subprotocols_are_400(client, protocol):
    answer = client.refused(FORWARD, "port=80", subprotocols=[protocol])
    assert answer.status == 400
    assert "v4.channel.k8s.io" in answer.message


def test_binary_k8s_io_alone_is_only_for_one_port(client, listener):
    with client.open(FORWARD, {"port": listener.port}, subprotocols=["binary.k8s.io"]) as session:
        assert session.subprotocol == "binary.k8s.io"
        listener.accept().close()
    answer = client.refused(FORWARD, "port=80&port=81", subprotocols=["binary.k8s.io"])
    assert answer.status == 400


# --- raw ---


def test_raw_messages_are_the_bytes_of_one_connection_both_ways(joined):
    session, connection = joined
    session.send(b"to the ")
    session.send(b"pod\x00\xff", opcode=2)
    assert receive(connection, 9) == b"to the po"
    connection.sendall(b"from the pod")
    assert session.read_until(b"from the pod") == b"from the pod"
    assert receive(connection, 3) == b"d\x00\xff"


def test_one_port_without_subprotocol_has_no_header(joined):
    session, connection = joined
    connection.sendall(b"first bytes")
    assert session.message() == b"first bytes"


def test_tcp_end_delivers_everything_then_1000(joined):
    session, connection = joined
    data = os.urandom(3 * MIB)
    threading.Thread(target=lambda: (connection.sendall(data), connection.close())).start()
    messages, closed = session.read_all()
    assert b"".join(messages) == data
    assert closed.code == 1000
    assert closed.reason


def test_close_of_the_client_writes_everything_to_the_pod_first(joined):
    session, connection = joined
    data = os.urandom(3 * MIB)

    def send():
        for offset in range(0, len(data), 100_000):
            session.send(data[offset:offset + 100_000])
        session.close()
    sender = threading.Thread(target=send)
    sender.start()
    assert receive_all(connection) == data
    sender.join()
    assert session.read_close().code == 1000


@pytest.mark.local  # a cluster's own programs pass it on, each with an end of its own
@pytest.mark.parametrize("protocols, head", [((), b""), ((V4,), b"\x00")], ids=["raw", "channels"])
def test_close_of_the_client_delivers_everything_to_a_pod_that_talks_and_reads_late(client, listener, protocols, head):
    data = os.urandom(MIB)  # more than the pod's end takes unread
    with (client.open(FORWARD, {"port": listener.port}, subprotocols=protocols) as session,
          listener.accept() as connection, talking(connection)):
        for offset in range(0, len(data), 65536):
            session.send(head + data[offset:offset + 65536])
        eventually(lambda: not select.select([], [connection], [], 0)[1], "what the pod says waits to be read")
        session.close()
        assert session.read_close().code == 1000
        received = receive_all(connection)
    assert len(received) == len(data)
    assert received == data


def test_vanished_client_ends_the_tcp_connection(joined):
    session, connection = joined
    session.drop()
    try:
        assert connection.recv(1) == b""
    except ConnectionResetError:
        pass  # an abort passed on as an abort


def test_nothing_listens_is_101_then_1011_connection_refused(client, closed_port):
    with client.open(FORWARD, {"port": closed_port}) as session:
        assert session.read_all() == ([], Closed(1011, f"port {closed_port}: connection refused"))


def test_reset_by_the_pod_ends_only_this_session(client, listener):
    with client.open(FORWARD, {"port": listener.port}) as one:
        first = listener.accept()
        with client.open(FORWARD, {"port": listener.port}) as two:
            second = listener.accept()
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            first.close()
            assert one.read_close().code in (1000, 1011)
            second.sendall(b"unharmed")
            assert two.read_until(b"unharmed") == b"unharmed"
            second.close()


def test_hundreds_of_aborted_forwards_leave_it_working(client, listener):
    for _ in range(200):
        session = client.open(FORWARD, {"port": listener.port})
        connection = listener.accept()
        session.drop()
        connection.close()
    with client.open(FORWARD, {"port": listener.port}) as session:
        connection = listener.accept()
        session.send(b"ok")
        assert receive(connection, 2) == b"ok"
        connection.close()


# --- half close ---


def test_answer_after_the_clients_end_still_comes(client, listener):
    with client.open(FORWARD, {"port": listener.port, "halfClose": "empty"}) as session:
        connection = listener.accept()
        session.send(b"question")
        session.send(b"")
        assert receive(connection, 8) == b"question"
        connection.sendall(b"answer after your end")
        connection.close()
        assert session.read_until(b"end") == b"answer after your end"
        assert session.read_close().code == 1000


@pytest.mark.local  # a cluster has no way to pass it on
def test_half_close_by_the_client(client, listener):
    with client.open(FORWARD, {"port": listener.port, "halfClose": "empty"}) as session:
        connection = listener.accept()
        session.send(b"question")
        session.send(b"")
        assert receive_all(connection) == b"question"
        connection.sendall(b"answer after your end")
        assert session.read_until(b"end") == b"answer after your end"
        connection.close()
        assert session.read_close().code == 1000


@pytest.mark.local  # a cluster has no way to pass it on
def test_half_close_by_the_pod_is_an_empty_message(client, listener):
    with client.open(FORWARD, {"port": listener.port, "halfClose": "empty"}) as session:
        connection = listener.accept()
        connection.sendall(b"said all")
        connection.shutdown(socket.SHUT_WR)
        assert session.message() == b"said all"
        assert session.message() == b""
        session.send(b"but you may go on")
        session.send(b"")
        assert receive_all(connection) == b"but you may go on"
        connection.close()
        assert session.read_close().code == 1000


def test_empty_message_without_half_close_is_nothing(joined):
    session, connection = joined
    session.send(b"")
    session.send(b"on")
    assert receive(connection, 2) == b"on"


def test_bad_half_close_is_400(client):
    assert client.refused(FORWARD, "port=80&halfClose=sometimes").status == 400


# --- channels ---


def channel_messages(session, count):
    """The next `count` messages as (channel, data)."""
    found = []
    while len(found) < count:
        message = session.message()
        found.append((message[0], message[1:]))
    return found


def test_first_message_on_each_channel_is_the_port_little_endian(client, listener):
    second = Listener()
    query = [("port", listener.port), ("port", second.port)]
    with client.open(FORWARD, query, subprotocols=[V4]) as session:
        assert session.subprotocol == V4
        first, other = (struct.pack("<H", port) for port in (listener.port, second.port))
        assert sorted(channel_messages(session, 4)) == [(0, first), (1, first), (2, other),
                                                        (3, other)]
        one, two = listener.accept(), second.accept()
        session.send(b"\x02to second")
        session.send(b"\x00to first")
        assert (receive(one, 8), receive(two, 9)) == (b"to first", b"to second")
        two.sendall(b"from second")
        assert channel_messages(session, 1) == [(2, b"from second")]
        one.close()
        two.close()
        assert session.read_close().code == 1000
    second.close()


def test_several_ports_without_a_subprotocol_are_channels(client, listener):
    query = [("port", listener.port), ("port", listener.port)]  # the same twice: two connections
    with client.open(FORWARD, query) as session:
        one, two = listener.accept(), listener.accept()
        port = struct.pack("<H", listener.port)
        assert sorted(channel_messages(session, 4)) == [(channel, port) for channel in range(4)]
        one.close()
        two.close()


def test_one_port_with_v4_is_channels(client, listener):
    with client.open(FORWARD, {"port": listener.port}, subprotocols=[V4]) as session:
        connection = listener.accept()
        port = struct.pack("<H", listener.port)
        assert sorted(channel_messages(session, 2)) == [(0, port), (1, port)]
        session.send(b"\x00ping")
        assert receive(connection, 4) == b"ping"
        connection.sendall(b"pong")
        assert channel_messages(session, 1) == [(0, b"pong")]
        connection.close()
        assert session.read_close().code == 1000


def test_failing_port_reports_on_its_error_channel_and_leaves_the_others_alone(client, listener, closed_port):
    query = [("port", closed_port), ("port", listener.port)]
    with client.open(FORWARD, query) as session:
        connection = listener.accept()
        heads = channel_messages(session, 5)
        error = [data for channel, data in heads if channel == 1][1]
        assert b"connection refused" in error.lower()
        assert str(closed_port).encode() in error
        session.send(b"\x02alive")
        assert receive(connection, 5) == b"alive"
        connection.sendall(b"still")
        assert channel_messages(session, 1) == [(2, b"still")]
        connection.close()
        assert session.read_close().code == 1000


def test_each_of_several_refused_ports_reports_on_its_error_channel(client, closed_port):
    with client.open(FORWARD, [("port", closed_port)] * 3) as session:
        messages, closed = session.read_all()
    refused = {message[0] for message in messages if b"connection refused" in message}
    assert refused == {1, 3, 5}
    assert closed.code == 1000


def test_ending_port_reports_on_its_error_channel_and_leaves_the_others_alone(client, listener):
    query = [("port", listener.port), ("port", listener.port)]
    with client.open(FORWARD, query) as session:
        one, two = listener.accept(), listener.accept()
        channel_messages(session, 4)
        one.close()
        (channel, text), = channel_messages(session, 1)
        assert channel in (1, 3) and text
        two.sendall(b"other")
        assert channel_messages(session, 1)[0][1] == b"other"
        two.close()
        assert session.read_close().code == 1000


def test_sixteen_ports_are_allowed(client, listener):
    with client.open(FORWARD, [("port", listener.port)] * 16) as session:
        connections = [listener.accept() for _ in range(16)]
        assert len(channel_messages(session, 32)) == 32
        for connection in connections:
            connection.close()
        assert session.read_close().code == 1000


# --- flow ---


def test_slow_client_holds_the_pod_back(client, listener):
    with client.open(FORWARD, {"port": listener.port}, receive_buffer=4096):
        connection = listener.accept()
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(1024):
                connection.sendall(b"x" * 65536)
        connection.close()


def test_slow_pod_holds_the_client_back(client, listener):
    with client.open(FORWARD, {"port": listener.port}) as session:
        connection = listener.accept()
        session.sock.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(4096):  # more than the sockets on the way hold
                session.send(b"x" * 65536)
        connection.close()


def test_no_added_latency_from_batching(joined):
    session, connection = joined

    def round_trip():
        start = time.perf_counter()
        session.send(b"p")
        connection.recv(1)
        connection.sendall(b"q")
        assert session.message() == b"q"
        return time.perf_counter() - start
    # A busy machine adds some, but not all the time.
    eventually(lambda: statistics.median(round_trip() for _ in range(40)) < 0.005, "there and back at once")
