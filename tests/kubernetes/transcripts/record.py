#!/usr/bin/env python3
"""Records what a real API server says, for the fake one of the unit tests.

Usage, from the working tree's root: ./dev kubernetes run build/venv/bin/python tests/kubernetes/transcripts/record.py
[NAME…]. Without names it records all. It restarts the API server and the kubelet and compacts etcd, so nobody else
can use the bed meanwhile.
"""
import base64
import contextlib
import json
import pathlib
import re
import socket
import ssl
import sys
import tempfile
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import yaml

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent))
import cluster  # noqa: E402

NAMESPACE = "recordings"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
SAY_NOTHING = re.compile(rb"(?:Date|Audit-Id|Cache-Control|X-Kubernetes-Pf-[\w-]+): [^\r]*\r\n", re.I)
PATIENCE = 100  # seconds; a bookmark comes within 60


class Server:
    """The bed's API server, for requests that are written byte by byte."""

    def __init__(self):
        config = yaml.safe_load(cluster.kubectl("config", "view", "--raw", "--minify"))
        self.address = urllib.parse.urlsplit(config["clusters"][0]["cluster"]["server"])
        user = config["users"][0]["user"]
        self.context = ssl.create_default_context()
        with tempfile.NamedTemporaryFile("wb") as authorities:
            authorities.write(base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]))
            authorities.flush()
            self.context.load_verify_locations(authorities.name)
        self.context.load_cert_chain(user["client-certificate"], user["client-key"])

    def ask(self, path, fields=(), until=None):
        """(request, answer, whether the server ended the connection); it is read to its end, or until bytes are in
        it."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.address.hostname}", *fields]
        asked = "".join(f"{line}\r\n" for line in lines) + "\r\n"
        connection = socket.create_connection((self.address.hostname, self.address.port or 443), timeout=PATIENCE)
        with self.context.wrap_socket(connection, server_hostname=self.address.hostname) as stream:
            stream.sendall(asked.encode())
            answer = b""
            while not is_whole(answer) and (until is None or until not in answer):
                try:
                    data = stream.recv(65536)
                except ssl.SSLEOFError:
                    data = b""
                if not data:
                    return asked, answer, True
                answer += data
        return asked, answer, False

    def get(self, path, *fields, until=None):
        return self.ask(path, ["Accept: application/json", "Connection: close", *fields], until)

    def upgrade(self, path, subprotocols, *fields):
        return self.ask(path, ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                               f"Sec-WebSocket-Key: {KEY}", f"Sec-WebSocket-Protocol: {subprotocols}", *fields])

    def exec(self, pod, subprotocols, *command, fields=()):
        query = urllib.parse.urlencode([("stdout", "true"), ("stderr", "true"), *(("command", c) for c in command)])
        return self.upgrade(f"{PODS}/{pod}/exec?{query}", subprotocols, *fields)


# --- what is recorded: the docstring says how it comes about, and stands in the file ---------------

def exec_success(server):
    """A command that ends with exit code 0."""
    return server.exec("shell", V5, "true")


def exec_exit_code(server):
    """A command that writes and ends with exit code 3."""
    return server.exec("shell", V5, "sh", "-c", "echo out; exit 3")


def exec_no_such_command_v5(server):
    """A command that is not there: said after the upgrade."""
    return server.exec("shell", V5, "/no/such")


def exec_no_such_command_v4(server):
    """The same with the older subprotocol."""
    return server.exec("shell", V4, "/no/such")


def exec_ended_container_v5(server):
    """A container that has ended."""
    return server.exec("ended", V5, "true")


def exec_ended_container_v4(server):
    """The same with the older subprotocol."""
    return server.exec("ended", V4, "true")


def exec_unknown_subprotocol(server):
    """A subprotocol that is yet to be invented."""
    return server.exec("shell", "v9.channel.k8s.io", "true")


def exec_forbidden(server):
    """A user without any role."""
    return server.exec("shell", f"{V5}, {V4}", "true", fields=["Impersonate-User: nobody"])


def exec_no_such_pod(server):
    """A pod that the API server doesn't know."""
    return server.exec("none", f"{V5}, {V4}", "true")


def exec_node_starting(server):
    """A kubelet that has just started, and knows none of its pods yet."""
    cluster.component("restart", "kubelet")
    return server.exec("shell", f"{V5}, {V4}", "true")


def port_forward_refused(server):
    """A port where nobody listens."""
    return server.upgrade(f"{PODS}/shell/portforward?ports=9", V4)


def log_node_starting(server):
    """A kubelet that has just started, and knows none of its pods yet."""
    cluster.component("restart", "kubelet")
    return server.get(f"{PODS}/shell/log?timestamps=true")


def log_waiting_container(server):
    """A container whose image is missing."""
    return server.get(f"{PODS}/waiting/log?timestamps=true")


def log_no_previous_run(server):
    """A container that has not been restarted."""
    return server.get(f"{PODS}/shell/log?timestamps=true&previous=true")


def watch_version_too_old(server):
    """A version from before the API server's start: 410 as an event."""
    cluster.component("restart", "kube-apiserver", "KILL")
    return server.get("/api/v1/namespaces?watch=true&resourceVersion=1")


def watch_no_streamed_list(server):
    """A streamed list, where etcd is too old for it: refused by an event. Only etcd before 3.4.25 does that."""
    return server.get("/api/v1/namespaces?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
                      "&resourceVersionMatch=NotOlderThan&timeoutSeconds=1")


def watch_bookmark(server):
    """A bookmark, after about a minute, of a watch that is for nothing of what changes."""
    version = json.loads(cluster.kubectl("get", "--raw", PODS))["metadata"]["resourceVersion"]
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.get, f"{PODS}?watch=true&resourceVersion={version}&allowWatchBookmarks=true"
                             "&fieldSelector=metadata.name%3Dnone", until=b'"BOOKMARK"')
        while not answer.done():
            touch("pod/shell")
            time.sleep(1)
    return answer.result()


def list_continuation_expired(server):
    """The second page of a list whose version has been compacted away: 410 as an answer."""
    events = "/api/v1/events?limit=1"  # of which the API server itself keeps nothing
    page = json.loads(cluster.kubectl("get", "--raw", events))["metadata"]
    touch("pod/shell")
    compact(json.loads(cluster.kubectl("get", "--raw", events))["metadata"]["resourceVersion"])
    return server.get(f"{events}&continue={urllib.parse.quote(page['continue'])}")


def list_busy(server):
    """A user to whom API Priority and Fairness gives nothing: 429."""
    with no_seats_for("nobody"), ThreadPoolExecutor(40) as pool:
        tries = [pool.submit(server.get, "/api/v1/namespaces", "Impersonate-User: nobody") for _ in range(400)]
        answers = [done.result() for done in tries]
    return next(one for one in answers if one[1].startswith(b"HTTP/1.1 429"))


def unauthorized(server):
    """A token that is none."""
    server.context = ssl.create_default_context()  # without the client's certificate
    server.context.check_hostname, server.context.verify_mode = False, ssl.CERT_NONE
    return server.get("/version", "Authorization: Bearer none")


RECORDINGS = [exec_success, exec_exit_code, exec_no_such_command_v5, exec_no_such_command_v4, exec_ended_container_v5,
              exec_ended_container_v4, exec_unknown_subprotocol, exec_forbidden, exec_no_such_pod,
              port_forward_refused, log_waiting_container, log_no_previous_run, watch_version_too_old,
              watch_no_streamed_list, watch_bookmark, list_continuation_expired, list_busy, unauthorized,
              exec_node_starting, log_node_starting]


# --- how -------------------------------------------------------------------------------------------

def is_whole(answer):
    """Whether it says how long it is, and is."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"^Content-Length: (\d+)", head, re.M | re.I)
    return length is not None and len(body) >= int(length[1])


def touch(name):
    cluster.kubectl("label", name, "-n", NAMESPACE, f"at=t{time.time_ns()}", "--overwrite")


def compact(revision):
    """etcd forgets what is older: its own gateway for JSON does it."""
    body = json.dumps({"revision": revision, "physical": True}).encode()
    with socket.create_connection(("127.0.0.1", 2379), timeout=10) as connection:
        connection.sendall(b"POST /v3/kv/compaction HTTP/1.0\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert b" 200 " in connection.recv(4096)


@contextlib.contextmanager
def no_seats_for(user):
    api = {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "metadata": {"name": NAMESPACE}}
    level = {"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 0,
                                            "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}}}
    rule = {"subjects": [{"kind": "User", "user": {"name": user}}],
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True,
                               "namespaces": ["*"]}]}
    made = [{**api, "kind": "PriorityLevelConfiguration", "spec": level},
            {**api, "kind": "FlowSchema", "spec": {"priorityLevelConfiguration": {"name": NAMESPACE},
                                                   "matchingPrecedence": 2, "rules": [rule]}}]
    cluster.apply(made)
    time.sleep(2)  # until the API server has read it, which nothing tells
    yield
    for one in made:
        cluster.kubectl("delete", one["kind"], NAMESPACE)


def make_pods():
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", timeout=120)
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.wait("create", "serviceaccount/default", "-n", NAMESPACE)
    cluster.apply(pod(*one) for one in (("shell", "bed.local/busybox:1", "sleep", "inf"),
                                        ("ended", "bed.local/busybox:1", "true"),
                                        ("waiting", "bed.local/none:1", "true")))
    cluster.wait("condition=Ready", "pod/shell", "-n", NAMESPACE)
    cluster.wait("jsonpath={.status.phase}=Succeeded", "pod/ended", "-n", NAMESPACE)
    cluster.wait("jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImageNeverPull", "pod/waiting",
                 "-n", NAMESPACE)


def pod(name, image, *command):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                     "containers": [{"name": "main", "image": image, "imagePullPolicy": "Never",
                                     "command": command}]}}


def escaped(data):
    """In the words of src/testing/transcript.h."""
    names = {0x0a: "\\n", 0x0d: "\\r", 0x09: "\\t", 0x5c: "\\\\"}
    text = "".join(names.get(byte) or (chr(byte) if 0x20 <= byte < 0x7f else f"\\x{byte:02x}") for byte in data)
    return re.sub(r" $", r"\\s", text)


def text_of(record, version, asked, answer, ended):
    lines = [f"# {record.__doc__}", f"# Recorded from Kubernetes {version} by ../record.py."]
    for side, data in (("C", asked.encode()), ("S", SAY_NOTHING.sub(b"", answer))):
        lines += [f"{side}: {escaped(line)}" for line in data.splitlines(keepends=True)]
    return "\n".join(lines + ["S-END"] * ended) + "\n"


def main(*names):
    version = json.loads(cluster.kubectl("get", "--raw", "/version"))["gitVersion"]
    make_pods()
    for record in RECORDINGS:
        if not names or record.__name__ in names:
            text = text_of(record, version, *record(Server()))
            (HERE / version).mkdir(exist_ok=True)
            (HERE / version / f"{record.__name__}.txt").write_text(text)
            print(record.__name__)
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


if __name__ == "__main__":
    main(*sys.argv[1:])
