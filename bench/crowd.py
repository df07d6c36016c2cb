"""Many workloads and pods that run nothing: made through the API server, and played by kwok on nodes of its own.

Objects are posted by as many connections as the API server has use for: kubectl takes minutes for so many.
"""
import concurrent.futures
import contextlib
import http.client
import json
import os
import ssl
import subprocess
import threading
import time

import cluster
from cluster_stand import STATE
from support import catalogue, runai_objects
from support.kubernetes import prepare_project
from support.pods import namespace_of
from table import ROOT

PROJECT = "crowd"
WORKLOADS, PODS_EACH, NODES = 1000, 5, 10
POSTERS = 8
STAGES = ROOT / "tests/kubernetes/manifests/kwok.yaml"


class Api:
    """The API server by plain requests, with a connection for each thread."""

    def __init__(self, token):
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.tls = ssl.create_default_context(cafile=str(STATE / "pki/ca.crt"))
        self.of_thread = threading.local()

    def send(self, method, path, document):
        if not hasattr(self.of_thread, "connection"):
            self.of_thread.connection = http.client.HTTPSConnection("127.0.0.1", 443, context=self.tls, timeout=60)
        connection = self.of_thread.connection
        kind = {"PATCH": "application/merge-patch+json"}.get(method, "application/json")
        connection.request(method, path, json.dumps(document), self.headers | {"Content-Type": kind})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status in (200, 201), f"{method} {path}: {answer.status} {body[:300]}"
        return json.loads(body)


def node(index):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {
        "name": f"crowd-{index}", "labels": {"type": "kwok"}}}


def make_workload(api, index):
    """A workload of some pods, each on a node, with its status."""
    namespace = namespace_of(PROJECT)
    workload = catalogue.Workload(f"many-{index}", (catalogue.shell(catalogue.FOREVER),), project=PROJECT,
                                  replicas=PODS_EACH)
    workloads = f"/apis/run.ai/v2alpha1/namespaces/{namespace}/trainingworkloads"
    made = api.send("POST", workloads, runai_objects.described(workload))
    api.send("PATCH", f"{workloads}/{workload.name}/status", {"status": {"phase": "Running"}})
    for replica in range(PODS_EACH):
        pod = runai_objects.pod_of(workload, replica, made["metadata"]["uid"])
        pod["spec"] |= {"nodeName": f"crowd-{index % NODES}", "hostNetwork": False}
        api.send("POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    return workload


def wait_for_pods(wanted, seconds=300):
    """Until they run. Looked at rarely, since each look is at all of them."""
    end = time.monotonic() + seconds
    while True:
        phases = cluster.kubectl("get", "pods", "-n", namespace_of(PROJECT), "-o", "jsonpath={.items[*].status.phase}")
        running = phases.split().count("Running")
        if running == wanted:
            return
        assert time.monotonic() < end, f"{running} of {wanted} pods run"
        time.sleep(2)


@contextlib.contextmanager
def crowd(token, workloads):
    """So many workloads, whose pods all run; gone afterwards."""
    binary = subprocess.run([ROOT / "tests/kubernetes/bed/kwok"], stdout=subprocess.PIPE, text=True, check=True,
                            timeout=1800).stdout.strip()
    prepare_project(PROJECT)
    cluster.apply(map(node, range(NODES)))
    with open(STATE / "log/kwok.log", "w", encoding="utf-8") as log:
        kwok = subprocess.Popen([binary, "--kubeconfig", os.environ["KUBECONFIG"], "--config", STAGES,
                                 "--manage-nodes-with-label-selector=type=kwok"], stdout=log, stderr=log)
    try:
        api = Api(token)
        with concurrent.futures.ThreadPoolExecutor(POSTERS) as pool:
            made = list(pool.map(lambda index: make_workload(api, index), range(workloads)))
        wait_for_pods(workloads * PODS_EACH)
        yield made
    finally:
        kwok.terminate()
        kwok.wait(timeout=20)
        cluster.kubectl("delete", "pods", "--all", "-n", namespace_of(PROJECT), "--grace-period=0", "--force",
                        "--wait=false", timeout=300)
        cluster.kubectl("delete", "namespace", namespace_of(PROJECT), "--wait=false")
        cluster.kubectl("delete", "node", "-l", "type=kwok")
