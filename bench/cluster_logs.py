"""The rows of logs on a cluster: by the API, and from the kubelet's files."""
import cluster
from alternate import alternate
from cluster_stand import NAMESPACE, component, kubectl_seconds, processor_seconds
from stand import LINE_BYTES
from support.catalogue import FOREVER, Workload, shell
from support.waiting import eventually
from table import Result, at_least

LOG_BYTES = 200_000_000


def at_most_share(name, own, peer, reach):
    share = own / peer
    return Result(name, f"{own:.2f} s", f"{peer:.2f} s", f"{share:.2f}", f"≤ {reach}", share <= reach)


def logged(stand):
    """A workload with a log of 200 MB in lines of 100 bytes, in one file; how many lines."""
    lines = int(LOG_BYTES * stand.scale) // LINE_BYTES
    script = f"yes {'x' * (LINE_BYTES - 1)} | head -n {lines}; echo end; {FOREVER}"
    workload = Workload(f"lines-{lines}", (shell(script),))
    stand.create(workload)
    pod = stand.pod(workload)
    eventually(lambda: cluster.kubectl("logs", "--tail=1", pod, "-n", NAMESPACE) == "end\n", "all is logged", 120)
    first = cluster.kubectl("logs", "--limit-bytes=99", pod, "-n", NAMESPACE)
    if first != "x" * 99 or LINE_BYTES * lines > LOG_BYTES:
        raise SystemExit("the log is not what it should be")
    return workload, lines


def portable_logs(stand):
    """The processors' time is that of all rounds through sluiced: of sluiced, and of the API server for it.

    sluiced asks for time stamps, to go on where a connection was lost: what it gets is more, and takes the kubelet
    longer, than what curl gets without.
    """
    workload, lines = logged(stand)
    server, port, token = stand.sluiced()
    api_server = component("kube-apiserver")
    spent = {server.pid: 0, api_server: 0}

    def own():
        before = {pid: processor_seconds(pid) for pid in spent}
        seconds = stand.load("drain", port, workload.path("logs"), token, framed(lines))["seconds"]
        for pid in spent:
            spent[pid] += processor_seconds(pid) - before[pid]
        return seconds

    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{stand.pod(workload)}/log"
    own_seconds, plain_seconds, stamped_seconds = alternate(
        own, lambda: stand.curl(path), lambda: stand.curl(path + "?timestamps=true"))
    megabytes = lines * LINE_BYTES / 1e6
    for name, peer_seconds in (("", plain_seconds), (", with time stamps", stamped_seconds)):
        yield at_least(f"logs of 200 MB by the API, against curl from the API server{name}", megabytes / own_seconds,
                       megabytes / peer_seconds, "MB/s", 0.95)
    yield at_most_share("processor time of sluiced for it, against the API server's", spent[server.pid],
                        spent[api_server], 0.25)


def fast_logs(stand):
    workload, lines = logged(stand)
    _, port, token = stand.sluiced(logs="kubelet-files")
    own_seconds, peer_seconds = alternate(
        lambda: stand.load("drain", port, workload.path("logs"), token, framed(lines))["seconds"],
        lambda: kubectl_seconds("logs", stand.pod(workload), "-n", NAMESPACE))
    megabytes = lines * LINE_BYTES / 1e6
    yield at_least("the same from the kubelet's files, against kubectl logs", megabytes / own_seconds,
                   megabytes / peer_seconds, "MB/s", 15)


def framed(lines):
    """The bytes of that many lines, as messages."""
    return lines * (LINE_BYTES + 2)

