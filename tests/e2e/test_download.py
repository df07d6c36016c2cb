"""Contract §5: logs as a download."""
import gzip
import re

import pytest

from support.catalogue import DUO, FINISHED, LINES, LONG, MIB, PAIR, TICKER
from support.httpclient import dial, read_head

HUNDRED = b"".join(b"line %d\n" % number for number in range(1, 101))


def download(client, workload=LINES, query=None, headers=None):
    return client.get(workload.path("logs/download"), query, headers)


def test_download_is_an_octet_stream_attachment_named_by_workload_pod_container_and_time(platform, client):
    answer = download(client)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    name = rf'attachment; filename="lines_{platform.pod(LINES)}_main_\d{{8}}T\d{{6}}Z\.log"'
    assert re.fullmatch(name, answer.headers["content-disposition"])
    assert answer.body == HUNDRED


def test_download_is_streamed_with_chunked_encoding(client):
    answer = download(client)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip;q=0.5", "GZIP"])
def test_download_is_gzip_when_the_client_accepts_it(client, accepted):
    answer = download(client, headers={"Accept-Encoding": accepted})
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == HUNDRED


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", ""])
def test_download_is_plain_when_the_client_does_not_accept_gzip(client, accepted):
    answer = download(client, headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.body == HUNDRED


@pytest.mark.parametrize("query, body", [
    ("tailLines=2", b"line 99\nline 100\n"), ("tailLines=0", b""), ("limitBytes=9", b"line 1\nli"),
    ("container=main&tailLines=1", b"line 100\n"), ("sinceSeconds=3h", HUNDRED),
    ("sinceTime=2999-01-01T00:00:00Z", b""), ("previous=false&tailLines=-1", HUNDRED)])
def test_download_takes_the_same_fields(client, query, body):
    assert download(client, query=query).body == body


def test_download_of_a_pod_by_its_name(platform, client):
    assert download(client, query=f"pod={platform.pod(LINES)}&tailLines=1").body == b"line 100\n"


def test_download_with_timestamps(client):
    lines = download(client, query="timestamps=true").body.splitlines()
    assert len(lines) == 100
    assert all(re.match(rb"\d{4}-\d\d-\d\dT[\d:]{8}(\.\d+)?Z line \d+$", line) for line in lines)


@pytest.mark.parametrize("follow", ["true", "maybe"])
def test_follow_on_a_download_is_ignored_like_any_unknown_field(client, follow):
    answer = download(client, TICKER, f"follow={follow}")
    assert answer.status == 200
    assert answer.body.startswith(b"tick 1\n")


def test_download_of_other_pods_and_containers(client, platform):
    pod = platform.pod(PAIR, 1)
    answer = download(client, PAIR, {"pod": pod, "container": "sidecar"})
    assert f"pair_{pod}_sidecar_" in answer.headers["content-disposition"]
    assert answer.body == b"I am the sidecar\n"
    assert download(client, DUO).body == b"I am alpha\n"


def test_download_keeps_the_bytes_as_they_are(client):
    assert download(client, FINISHED).body == b"first\n\nno newline"
    assert len(download(client, LONG).body) == MIB + 3 * MIB // 2 + 1 + 4


def test_download_needs_no_upgrade_and_the_connection_is_kept(client):
    head = (f"GET {LINES.path('logs/download')}?tailLines=1 HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {client.token}\r\n\r\n").encode()
    with dial(client.server.address) as sock:
        for _ in range(2):
            sock.sendall(head)
            response, rest = read_head(sock)
            assert response.status == 200
            while not rest.endswith(b"0\r\n\r\n"):
                rest += sock.recv(4096)
            assert b"line 100\n" in rest


def test_download_for_http_1_0_ends_with_the_connection(client):
    head = (f"GET {LINES.path('logs/download')} HTTP/1.0\r\nHost: x\r\n"
            f"Authorization: Bearer {client.token}\r\n\r\n").encode()
    with dial(client.server.address) as sock:
        sock.sendall(head)
        response, rest = read_head(sock)
        while more := sock.recv(4096):
            rest += more
    assert response.status == 200
    assert "transfer-encoding" not in response.headers
    assert rest == HUNDRED
