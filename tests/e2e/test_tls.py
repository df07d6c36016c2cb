"""TLS (contract §9): 1.2 and later, ALPN http/1.1, reload when the files change."""
import datetime
import ipaddress
import os
import ssl
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.catalogue import BASE, LINES, SHELL
from support.client import Client
from support.httpclient import dial, raw_request
from support.rawws import Closed
from support.waiting import eventually

STATUS = BASE + "/status"


def certificate(folder, serial):
    """Writes cert.pem and key.pem for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    built = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
             .public_key(key.public_key()).serial_number(serial)
             .not_valid_before(now - datetime.timedelta(days=1))
             .not_valid_after(now + datetime.timedelta(days=1))
             .add_extension(x509.SubjectAlternativeName(names), critical=False)
             .sign(key, hashes.SHA256()))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    replace(folder / "key.pem", private, 0o600)
    replace(folder / "cert.pem", built.public_bytes(serialization.Encoding.PEM), 0o644)


def replace(path, data, mode):
    new = path.with_suffix(".new")
    new.write_bytes(data)
    new.chmod(mode)
    os.replace(new, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


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
    certificate(tmp_path, 1)
    paths = {"certificate": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    client = serve(LINES, SHELL, tls=paths)
    return Client(client.server, client.token, context())


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
        certificate(tmp_path, 2)
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
    output, closed = secure.run(SHELL, "head", "-c", "20000000", "/dev/zero")
    assert len(output) == 20_000_000
    assert closed == Closed(1000, "exit code 0")
