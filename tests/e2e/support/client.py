"""A user of the API: a server, a token, and requests as the contract writes them."""
import base64
import json
import time
import urllib.parse

from support import rawws
from support.httpclient import dial, request
from support.waiting import eventually


def argv(*words):
    """A command as the query and the header carry it (contract §6)."""
    return base64.b64encode(json.dumps(words).encode()).decode()


def with_query(path, query):
    """Appends a query: text as it is, a dict or pairs percent-encoded."""
    if not query:
        return path
    return path + "?" + (query if isinstance(query, str) else urllib.parse.urlencode(query))


class Client:
    """`token=None` sends no Authorization header."""

    def __init__(self, server, token, tls=None):
        self.server = server
        self.token = token
        self.tls = tls

    def as_user(self, token):
        return Client(self.server, token, self.tls)

    def get(self, path, query=None, headers=None, method="GET", body=None):
        return request(self.server.address, method, with_query(path, query),
                       self._headers(headers), self.tls, body)

    def open(self, path, query=None, headers=None, subprotocols=(), receive_buffer=None):
        """An upgraded RawWebSocket, or rawws.Refused."""
        sock = dial(self.server.address, self.tls, receive_buffer)
        host = "{}:{}".format(*self.server.address)
        return rawws.upgrade(sock, host, with_query(path, query), self._headers(headers),
                             subprotocols)

    def refused(self, path, query=None, headers=None, subprotocols=()):
        """The answer to a handshake that must not succeed."""
        try:
            self.open(path, query, headers, subprotocols).drop()
        except rawws.Refused as refusal:
            return refusal.response
        raise AssertionError(f"101 for {with_query(path, query)}")

    def exec(self, workload, *words, subprotocols=(), receive_buffer=None, **query):
        """Runs a command; further keywords are query fields."""
        return self.open(workload.path("exec"), {"command": argv(*words), **query},
                         subprotocols=subprotocols, receive_buffer=receive_buffer)

    def run(self, workload, *words, **query):
        """Runs a command to its end: (output, Closed)."""
        with self.exec(workload, *words, **query) as session:
            messages, closed = session.read_all()
        return b"".join(messages), closed

    def logs(self, workload, **query):
        """One-shot logs: (messages, Closed)."""
        with self.open(workload.path("logs"), query) as session:
            return session.read_all()

    def phase(self, workload):
        """Its phase, or None while it isn't known."""
        answer = self.get(workload.path("status"))
        return answer.json["phase"] if answer.status == 200 else None

    def settle(self, *workloads):
        """Waits for the phases that the workloads settle in; itself."""
        for workload in workloads:
            eventually(lambda wanted=workload: self.phase(wanted) == wanted.phase,
                       f"{workload.name} is {workload.phase}")
        return self

    def await_lines(self, workload, lines):
        """Itself, once each container has written so many lines: one that runs need not have."""
        def counts():
            pods = self.get(workload.path("pods")).json["pods"]
            targets = [{"pod": pod["name"], "container": one["name"]} for pod in pods for one in pod["containers"]]
            return [self.get(workload.path("logs/download"), target).body.count(b"\n") for target in targets]
        eventually(lambda: all(count >= lines for count in counts()), f"{workload.name} wrote {lines} lines")
        return self

    def answer_time(self, path):
        """Seconds until a request is answered with 200."""
        begin = time.monotonic()
        assert self.get(path).status == 200
        return time.monotonic() - begin

    def _headers(self, extra):
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return own | (extra or {})
