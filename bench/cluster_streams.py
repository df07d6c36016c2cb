"""The rows of exec and port-forward on a cluster: how much passes, against kubectl, and how soon."""
import base64
import json
import re
import subprocess
import urllib.parse

from alternate import alternate
from cluster_stand import NAMESPACE, kubectl_seconds
from stand import free_port, wait_for_port
from support.catalogue import FOREVER, Workload, shell
from table import Result, at_least

IDLE = Workload("idle", (shell(FOREVER),))
BLOCK = 64 << 10


def size_of(stand):
    """A gigabyte, in whole blocks."""
    return int(1e9 * stand.scale) // BLOCK * BLOCK


def exec_path(*command, **options):
    text = base64.b64encode(json.dumps(command).encode()).decode()
    return IDLE.path("exec") + "?" + urllib.parse.urlencode({"command": text, **options})


def exec_streams(stand):
    stand.create(IDLE)
    size = size_of(stand)
    _, port, token = stand.sluiced()
    pod = stand.pod(IDLE)
    command = ("dd", "if=/dev/zero", "bs=64k", f"count={size // BLOCK}", "status=none")
    own, peer = alternate(
        lambda: stand.load("drain", port, exec_path(*command), token, size)["seconds"],
        lambda: kubectl_seconds("exec", "-n", NAMESPACE, pod, "--", *command))
    yield at_least("exec: 1 GB of stdout, against kubectl exec", size / own / 1e6, size / peer / 1e6, "MB/s", 1)

    # `transmit` sends nine bytes before the rest, and ends with the first byte that comes back.
    sink = (f"dd of=/dev/null bs=9 count=1 iflag=fullblock status=none; "
            f"dd of=/dev/null bs=64k count={size // BLOCK} iflag=fullblock status=none; echo received")
    own, peer = alternate(
        lambda: stand.load("transmit", port, size, exec_path("sh", "-c", sink, stdin="true"), token)["seconds"],
        lambda: kubectl_with_input(size + 9, "exec", "-i", "-n", NAMESPACE, pod, "--", "sh", "-c", sink))
    yield at_least("exec: 1 GB of stdin, against kubectl exec", size / own / 1e6, size / peer / 1e6, "MB/s", 1)


def kubectl_with_input(size, *arguments):
    with subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE) as source:
        return kubectl_seconds(*arguments, stdin=source.stdout)


def port_forward(stand):
    """The pod has the network of the node, so what listens there on 127.0.0.1 is the pod's."""
    stand.create(IDLE)
    size = size_of(stand)
    target = free_port()
    stand.start(stand.build / "load", "target", target)
    wait_for_port(target)
    _, port, token = stand.sluiced()
    path = f"{IDLE.path('port-forward')}?port={target}"
    forward = stand.start("kubectl", "port-forward", "-n", NAMESPACE, stand.pod(IDLE), f":{target}",
                          stdout=subprocess.PIPE)
    forwarded = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline().decode())[1]
    for verb, direction in (("receive", "from the pod"), ("transmit", "to the pod")):
        own, peer = alternate(lambda: stand.load(verb, port, size, path, token)["seconds"],
                              lambda: stand.load(verb, forwarded, size)["seconds"])
        yield at_least(f"port-forward, 1 GB {direction}, against kubectl port-forward", size / own / 1e6,
                       size / peer / 1e6, "MB/s", 1)


def exec_latency(stand):
    stand.create(IDLE)
    count = max(5, int(20 * stand.scale))
    _, port, token = stand.sluiced()
    direct = f"/api/v1/namespaces/{NAMESPACE}/pods/{stand.pod(IDLE)}/exec?command=true&stdout=true&stderr=true"
    own, peer = alternate(
        lambda: stand.load("roundtrips", port, count, "plain", exec_path("true"), token)["p50"],
        lambda: stand.load("roundtrips", 443, count, "tls", direct, stand.cluster.token,
                           "v5.channel.k8s.io")["p50"], rounds=12)
    yield Result("exec of `true`, p50, against a bare client of the API server", f"{own:.1f} ms", f"{peer:.1f} ms",
                 f"{own - peer:+.1f} ms", "≤ +5 ms", own - peer <= 5)
