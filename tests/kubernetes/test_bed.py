"""The bed is a Kubernetes that can be tested against: what fails here is no fault of the gateway's."""
import json
import re
import ssl
import time
import urllib.error
import urllib.request

import pytest

import cluster
import service_account
from cluster import get, kubectl

PROJECT = "runai-project1"


def test_the_node_is_ready_and_has_an_address_that_the_api_server_proxies_to():
    (node,) = get("nodes")
    conditions = {condition["type"]: condition["status"] for condition in node["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    assert kubectl("get", "--raw", f"/api/v1/nodes/{node['metadata']['name']}/proxy/healthz") == "ok"


def test_the_api_server_and_the_kubelet_are_of_the_same_version():
    (node,) = get("nodes")
    version = re.search(r"Server Version: (\S+)", kubectl("version"))[1]
    assert node["status"]["nodeInfo"]["kubeletVersion"] == version


def test_discovery_is_aggregated(samples):
    found = kubectl("get", "--raw", "/apis/run.ai")
    assert '"v2alpha1"' in found and '"v1alpha1"' in found
    assert "trainingworkloads" in kubectl("api-resources", "--api-group=run.ai", "-o", "name")


def test_logs_of_a_pod_that_runs_and_of_one_that_ended(samples):
    assert kubectl("logs", "-n", PROJECT, "counter-0-0").startswith("count 1\n")
    cluster.wait("jsonpath={.status.phase}=Succeeded", "-n", PROJECT, "pod/finished-0-0")
    # Standard error's line may come behind the unended one, in the same line then.
    text = kubectl("logs", "-n", PROJECT, "finished-0-0").replace("\n", "")
    assert sorted(re.findall("one|two|three, unended", text)) == ["one", "three, unended", "two"]


def test_exec_passes_input_output_and_the_exit_code(samples):
    assert kubectl("exec", "-i", "-n", PROJECT, "shell-0-0", "--", "tr", "a-z", "A-Z", stdin="loud") == "LOUD"
    with pytest.raises(AssertionError, match="exit code 3"):
        kubectl("exec", "-n", PROJECT, "shell-0-0", "--", "sh", "-c", "exit 3")


def test_a_forwarded_port_reaches_the_pod(samples, start):
    forward = start("kubectl", "port-forward", "-n", PROJECT, "web-0-0", ":8080")
    port = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        assert answer.read() == b"it works\n"


def test_a_pod_reaches_the_api_server_by_the_address_in_its_environment(samples):
    script = 'nc -w 5 "$KUBERNETES_SERVICE_HOST" "$KUBERNETES_SERVICE_PORT" </dev/null'
    kubectl("exec", "-n", PROJECT, "shell-0-0", "--", "sh", "-c", script)


def test_a_workload_s_pods_carry_its_uid_and_its_status_is_set(samples):
    workload = get("distributedworkload", "pair", "-n", PROJECT)
    pods = get("pods", "-n", PROJECT, "-l", f"run.ai/top-owner-uid={workload['metadata']['uid']}")
    assert {pod["metadata"]["name"] for pod in pods} == {"pair-master-0", "pair-a-worker-0"}
    assert workload["status"]["phase"] == "Running"


def test_an_external_workload_names_what_it_observes_by_uid(samples):
    observed = get("deployment", "observed", "-n", PROJECT)["metadata"]["uid"]
    external = get("externalworkload", "ew-deployment-observed", "-n", PROJECT)
    assert external["spec"]["originalWorkloadUID"] == observed
    bare = get("pod", "bare", "-n", PROJECT)["metadata"]["uid"]
    external = get("externalworkload", "ew-pod-bare", "-n", PROJECT)
    assert external["status"]["childIds"] == [{"type": "Pod", "uid": bare}]


def test_a_service_account_may_do_what_its_role_says_and_no_more(samples, namespace, tmp_path):
    kubectl("create", "serviceaccount", "reader", "-n", namespace)
    kubectl("create", "role", "reader", "-n", namespace, "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "reader", "-n", namespace, "--role=reader",
            f"--serviceaccount={namespace}:reader")
    config = tmp_path / "kubeconfig"
    config.write_text(service_account.kubeconfig(namespace, "reader"))
    as_reader = ("--kubeconfig", str(config), "-n", namespace)
    assert kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", *as_reader) == \
        f"system:serviceaccount:{namespace}:reader"
    kubectl("get", "pods", *as_reader)
    with pytest.raises(AssertionError, match="Forbidden"):
        kubectl("get", "secrets", *as_reader)


def test_the_kubelet_serves_log_files_to_who_may_get_nodes_log(samples, namespace, tmp_path):
    kubectl("create", "serviceaccount", "logs", "-n", namespace)
    kubectl("create", "clusterrole", namespace, "--verb=get", "--resource=nodes/log")
    kubectl("create", "clusterrolebinding", namespace, f"--clusterrole={namespace}",
            f"--serviceaccount={namespace}:logs")
    try:
        pod = get("pod", "counter-0-0", "-n", PROJECT)
        (node,) = get("nodes")
        address = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
        url = f"https://{address}:10250/logs/pods/{PROJECT}_counter-0-0_{pod['metadata']['uid']}/counter/0.log"
        with open_by_token(url, kubectl("create", "token", "logs", "-n", namespace).strip()) as answer:
            assert re.match(rb"\S+Z stdout F count 1\n", answer.read())
        kubectl("create", "serviceaccount", "nobody", "-n", namespace)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            open_by_token(url, kubectl("create", "token", "nobody", "-n", namespace).strip())
    finally:
        kubectl("delete", "clusterrole,clusterrolebinding", namespace)


def open_by_token(url, token):
    ca = kubectl("get", "configmap", "kube-root-ca.crt", "-n", "default", "-o", r"jsonpath={.data.ca\.crt}")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    return urllib.request.urlopen(request, context=ssl.create_default_context(cadata=ca), timeout=10)


def test_the_kubelet_rotates_a_log_file_beyond_its_size(namespace):
    limit = kubelet_configuration()["containerLogMaxSize"]
    megabytes = int(re.fullmatch(r"(\d+)Mi", limit)[1]) + 1
    fill = f"yes | tr -d '\\n' | fold -w 1023 | head -c {megabytes << 20}; exec sleep inf"
    run_pod(namespace, "writer", fill)
    folder = f"pods/{namespace}_writer_{get('pod', 'writer', '-n', namespace)['metadata']['uid']}/main/"
    deadline = time.monotonic() + 120
    while not re.search(r"0\.log\.\d+", listing := node_log(folder)):
        assert time.monotonic() < deadline, listing
        time.sleep(0.2)


def kubelet_configuration():
    (node,) = get("nodes")
    answer = kubectl("get", "--raw", f"/api/v1/nodes/{node['metadata']['name']}/proxy/configz")
    return json.loads(answer)["kubeletconfig"]


def node_log(path):
    (node,) = get("nodes")
    return kubectl("get", "--raw", f"/api/v1/nodes/{node['metadata']['name']}/proxy/logs/{path}")


def run_pod(namespace, name, script):
    container = {"name": "main", "image": "bed.local/busybox:1", "command": ["sh", "-c", script]}
    cluster.apply([{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
                    "spec": {"containers": [container], "terminationGracePeriodSeconds": 0}}])
    cluster.wait("condition=Ready", f"pod/{name}", "-n", namespace)
