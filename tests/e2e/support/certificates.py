"""A private certificate authority and what it issues."""
import datetime
import ipaddress
import os
import stat

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


class Authority:
    """Nobody trusts it who isn't told to by `pem`."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = named("a private authority")
        root = builder(self._name, self._name, self._key, x509.random_serial_number())
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.pem = root.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue(self, folder, *names, serial=None):
        """Writes cert.pem and key.pem of a server; localhost and 127.0.0.1 are always among its names."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = builder(named("localhost"), self._name, key, serial or x509.random_serial_number())
        alternatives = [x509.DNSName(name) for name in ("localhost", *names)]
        alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        made = made.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption())
        replace(folder / "key.pem", private, 0o600)
        certificate = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        replace(folder / "cert.pem", certificate, 0o644)
        return {"certificate": str(folder / "cert.pem"), "key": str(folder / "key.pem")}


def named(name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def builder(subject, issuer, key, serial):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(serial).not_valid_before(now - DAY).not_valid_after(now + DAY))


def replace(path, data, mode):
    new = path.with_suffix(".new")
    new.write_bytes(data)
    new.chmod(mode)
    os.replace(new, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
