"""Just enough of a Kubernetes API server for a sluiced with one workload whose log never ends."""
import http.server
import json
import socket
import threading
import time
import urllib.parse

from support.catalogue import PROJECT, Workload

TICKER = Workload("ticker", ())  # counts a line every 20 ms, from 0, for each that follows it
NAMESPACE = f"runai-{PROJECT}"
JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "ticker", "namespace": NAMESPACE, "uid": "job"},
       "spec": {"parallelism": 1}, "status": {"active": 1}}
POD = {"apiVersion": "v1", "kind": "Pod",
       "metadata": {"name": "ticker-0", "namespace": NAMESPACE, "uid": "pod",
                    "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "ticker", "uid": "job",
                                         "controller": True}]},
       "spec": {"nodeName": "node", "containers": [{"name": "main", "image": "x"}]},
       "status": {"phase": "Running", "containerStatuses": [
           {"name": "main", "ready": True, "restartCount": 0, "image": "x", "imageID": "x",
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}}
RESOURCES = {"/api/v1": {"namespaces": "Namespace", "pods": "Pod"},
             "/apis/batch/v1": {"jobs": "Job"},
             "/apis/apps/v1": {"replicasets": "ReplicaSet", "statefulsets": "StatefulSet",
                               "deployments": "Deployment"}}
ITEMS = {"/api/v1/namespaces": [{"metadata": {"name": NAMESPACE, "uid": "namespace",
                                              "labels": {"runai/queue": PROJECT}}}],
         "/api/v1/pods": [POD], "/apis/batch/v1/jobs": [JOB]}


class ApiServer:
    """`url` is for a kubeconfig. While it is `silent`, no request is answered."""

    def __init__(self):
        self.silent = False
        self.ended = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.api = self
        self.url = "http://127.0.0.1:{}".format(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def kubeconfig(self):
        return json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "x",
                           "clusters": [{"name": "x", "cluster": {"server": self.url}}],
                           "users": [{"name": "x", "user": {"token": "x"}}],
                           "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]})

    def close(self):
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Tests look at sluiced's log, not at this one's."""

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self):  # noqa: N802
        while self.server.api.silent:
            if self.server.api.ended.wait(0.05):
                return
        path, _, query = self.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        resources = [f"{base}/{plural}" for base, plurals in RESOURCES.items() for plural in plurals]
        if path == "/apis":
            groups = [{"name": name, "versions": [{"version": "v1"}]} for name in ("batch", "apps")]
            self.answer({"kind": "APIGroupList", "groups": groups})
        elif path == "/version":
            self.answer({"gitVersion": "v1.34.0"})
        elif path in RESOURCES:
            self.answer({"kind": "APIResourceList", "resources": [
                {"name": plural, "kind": kind} for plural, kind in RESOURCES[path].items()]})
        elif path in resources and "sendInitialEvents" in query:
            self.answer({"kind": "Status", "code": 400, "message": "no streamed lists"}, 400)
        elif path in resources and "watch" in query:
            self.begin()
            self.server.api.ended.wait()
        elif path in resources:
            self.answer({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": ITEMS.get(path, [])})
        elif path.endswith("/pods/ticker-0/log"):
            self.count("timestamps" in query)
        elif path.endswith("/pods/ticker-0"):
            self.answer(POD)
        else:
            self.answer({"kind": "Status", "code": 404, "message": path}, 404)

    def do_POST(self):  # noqa: N802
        """Any access review."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(review | {"status": {"allowed": True}}, 201)

    def answer(self, document, status=200):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def count(self, stamped):
        self.begin()
        try:
            for number in range(1_000_000):
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime()) + f"{number % 10**9:09}Z " if stamped else ""
                line = f"{stamp}{number}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                if self.server.api.ended.wait(0.02):
                    return
        except OSError:
            self.close_connection = True  # nobody follows any more
