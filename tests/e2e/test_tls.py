"""TLS (contract §9): 1.2 and later, ALPN http/1.1, reload when the files change."""
import ssl

import pytest
from cryptography import x509

from support.catalogue import BASE, LINES, SHELL
from support.certificates import Authority, replace
from support.client import Client
from support.httpclient import dial, raw_request
from support.rawws import Closed
from support.waiting import eventually

STATUS = BASE + "/status"
AUTHORITY = Authority()


def context(**changes):
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def secure(serve, tmp_path):
    """alice's client of a server with TLS."""
    paths = AUTHORITY.issue(tmp_path, serial=1)
    client = serve(LINES, SHELL, tls=paths)
    return Client(client.server, client.token, context()).settle(LINES, SHELL)


def serial(client):
    with dial(client.server.address, context()) as sock:
        return x509.load_der_x509_certificate(sock.getpeercert(binary_form=True)).serial_number


def test_https_and_wss_are_served(secure):
    assert "listening on https://" in secure.server.output
    assert secure.get(STATUS).status == 200
    assert secure.logs(LINES)[1] == Closed(1000, "end of logs")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_served(secure, version):
    secure.tls = context(minimum_version=version, maximum_version=version)
    assert secure.get(STATUS).status == 200


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_tls_is_refused(secure, version):
    old = context(minimum_version=version, maximum_version=version)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        dial(secure.server.address, old)


def test_alpn_is_http_1_1(secure):
    offering = context()
    offering.set_alpn_protocols(["h2", "http/1.1"])
    with dial(secure.server.address, offering) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"


def test_certificate_is_reloaded_when_the_files_change(secure, tmp_path):
    with secure.exec(SHELL, "cat", stdin="true") as session:
        assert serial(secure) == 1
        AUTHORITY.issue(tmp_path, serial=2)
        eventually(lambda: serial(secure) == 2, "the new certificate")
        session.send(b"undisturbed\n")
        assert session.read_until(b"\n") == b"undisturbed\n"


def test_broken_certificate_leaves_the_old_one_in_force(secure, tmp_path):
    replace(tmp_path / "cert.pem", b"no certificate", 0o644)
    eventually(lambda: "cert.pem" in secure.server.output, "a log line about the file")
    assert serial(secure) == 1


def test_plain_http_on_a_tls_port_ends_without_an_answer_or_with_400(secure):
    try:
        answer = raw_request(secure.server.address, f"GET {STATUS} HTTP/1.1\r\n\r\n".encode())
        assert answer.status == 400
    except (AssertionError, ConnectionResetError):
        pass  # cut
    assert secure.get(STATUS).status == 200


def test_bulk_data_both_ways(secure):
    with secure.exec(SHELL, "wc", "-c", stdin="true", stdinEof="empty") as session:
        for _ in range(20):
            session.send(b"x" * 500_000)
        session.send(b"")
        assert session.read_until(b"\n").strip() == b"10000000"
    with secure.exec(SHELL, "head", "-c", "20000000", "/dev/zero") as session:
        messages, closed = session.read_all(timeout=60)
    assert sum(map(len, messages)) == 20_000_000
    assert closed == Closed(1000, "exit code 0")
