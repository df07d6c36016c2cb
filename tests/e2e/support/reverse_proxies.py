"""nginx and HAProxy in front of a server, with the configurations that operators are shown."""
import re
import socket
import ssl
import subprocess

from support.certificates import Authority
from support.server import ROOT
from support.tcp import unused_port
from support.waiting import eventually

GUIDE = ROOT / "docs/operate/reverse-proxies.md"


def snippet(language):
    """The configuration in the guide."""
    return re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.S).group(1)


def changed(text, changes):
    """Addresses and paths of the guide become the test's; each must be there."""
    for old, new in changes.items():
        assert old in text, f"{GUIDE} has no {old}"
        text = text.replace(old, new)
    return text


class ReverseProxy:
    """One proxy process on a free port, which ends TLS."""

    def __init__(self, folder, server):
        self.folder = folder
        self.address = ("127.0.0.1", unused_port())
        self.tls = ssl.create_default_context(cadata=self._certify())
        self.log = folder / "requests"
        self.log.touch()
        configuration, command = self.configure(server)
        (folder / "configuration").write_text(configuration)
        with open(self.log, "ab") as out, open(folder / "errors", "ab") as errors:
            self.process = subprocess.Popen(command, stdout=out, stderr=errors)
        eventually(self._listens, f"{command[0]} listens")

    def _certify(self):
        authority = Authority()
        authority.issue(self.folder)
        pem = (self.folder / "cert.pem").read_bytes() + (self.folder / "key.pem").read_bytes()
        (self.folder / "sluice.pem").write_bytes(pem)
        return authority.pem.decode()

    def _listens(self):
        assert self.process.poll() is None, (self.folder / "errors").read_text()
        try:
            socket.create_connection(self.address, timeout=1).close()
            return True
        except OSError:
            return False

    def requests(self):
        """The paths of the requests that it passed on or answered, in order, however their targets were given."""
        lines = self.log.read_text(errors="replace").splitlines()
        found = (re.search(r'"\S+ +(?:\w+://[^/]*)?(/\S*)(?: HTTP/\S+)?"', line) for line in lines)
        return [request.group(1) for request in found if request]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Nginx(ReverseProxy):
    def configure(self, server):
        host, port = self.address
        site = changed(snippet("nginx"), {
            "listen 443 ssl": f"listen {host}:{port} ssl", "/etc/sluice/": f"{self.folder}/",
            "127.0.0.1:8080": "{}:{}".format(*server.address)})
        temporary = "\n".join(f"{kind}_temp_path {self.folder}/{kind};"
                              for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        whole = f"""
            daemon off; master_process off; pid {self.folder}/pid; error_log {self.folder}/errors;
            events {{ }}
            http {{
                log_format requests '"$request" $status';
                access_log {self.log} requests;
                {temporary}
                {site}
            }}"""
        return whole, ["nginx", "-p", str(self.folder), "-c", str(self.folder / "configuration"),
                       "-e", str(self.folder / "errors")]


class HaProxy(ReverseProxy):
    def configure(self, server):
        host, port = self.address
        sections = changed(snippet("haproxy"), {
            "bind :443": f"bind {host}:{port}", "/etc/haproxy/": f"{self.folder}/",
            "127.0.0.1:8080 check port 9090": f"{server.address[0]}:{server.address[1]} check port {server.admin[1]}"})
        whole = f"""
global
    nbthread 1
    log stdout format raw daemon
    tune.bufsize 65536
defaults
    log global
    log-format "%{{+Q}}r %ST"
{sections}"""
        return whole, ["haproxy", "-db", "-f", str(self.folder / "configuration")]
