"""What pods of the catalogue's workloads look like on a cluster, whatever kind of object stands above them."""
import sys

from support.server import ROOT
from support.waiting import eventually

sys.path.append(str(ROOT / "tests/kubernetes"))
import cluster  # noqa: E402

IMAGE = "bed.local/busybox:1"
START = 300  # seconds until all pods of the catalogue are as the catalogue says
PHASES = {"Completed": "Succeeded", "Failed": "Failed", "Running": "Running"}


def namespace_of(project):
    return f"runai-{project}"


def metadata(name, workload, **more):
    return {"name": name, "namespace": namespace_of(workload.project), **more}


def field(path):
    """The value of an environment variable that Kubernetes fills in."""
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}


def container_of(workload, container, replica_index):
    """The names that the local backend gives to each container, the pod's specification gives."""
    names = {"PROJECT": {"value": workload.project}, "WORKLOAD": {"value": workload.name},
             "POD": field("metadata.name"), "CONTAINER": {"value": container.name},
             "REPLICA_INDEX": replica_index}
    env = [{"name": f"SLUICE_{name}", **value} for name, value in names.items()]
    env += [{"name": name, "value": value} for name, value in container.options.get("env", {}).items()]
    # Kubernetes would replace $(NAME), and takes $$ for a $.
    command = [argument.replace("$", "$$") for argument in container.command]
    spec = {"name": container.name, "image": IMAGE, "command": command, "env": env}
    return spec | {key: container.options[key] for key in ("stdin", "tty", "workingDir")
                   if key in container.options}


def spec_of(workload, replica_index, restart):
    """hostNetwork: what listens on 127.0.0.1 where the tests run can be forwarded to."""
    return {"restartPolicy": restart, "hostNetwork": True, "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [container_of(workload, container, replica_index)
                           for container in workload.containers]}


def restart_of(workload):
    return workload.containers[0].options.get("restart", "Never")


def as_wanted(workload, pod):
    """Has the pod come to where its workload settles?"""
    status = pod["status"]
    if status.get("phase") != PHASES[workload.phase]:
        return False
    return workload.phase != "Running" or all(
        "running" in container["state"] for container in status["containerStatuses"])


def wait_until_settled(workload, find):
    """The workload's pods once all of them, as `find` finds them, have come to where it settles."""
    def settled():
        pods = find(workload)
        return [pods] if len(pods) == workload.replicas and all(as_wanted(workload, pod) for pod in pods) else None

    # Asking is work for the processors that pods need for their start.
    pods, = eventually(settled, f"{workload.name}'s pods run, or have ended", START, pause=0.2)
    return pods


def labelled(label, workload):
    """The pods whose label says that they are the workload's."""
    return cluster.get("pods", "-n", namespace_of(workload.project), "-l", f"{label}={identity(workload)}")


def identity(workload):
    """Tells workloads apart that share a name but not a type."""
    return f"{workload.type}-{workload.name}"
