"""The cluster that KUBECONFIG names, by kubectl: what the tests arrange and check goes past the gateway."""
import json
import pathlib
import subprocess

BED = pathlib.Path(__file__).parent / "bed"


def kubectl(*arguments, stdin=None, timeout=120):
    """What kubectl prints; its complaint as an AssertionError if it fails."""
    done = subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, timeout=timeout,
                          check=False)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr.strip()}"
    return done.stdout


def get(*arguments):
    """An object, or a list's items, as kubectl get finds it."""
    found = json.loads(kubectl("get", "-o", "json", *arguments))
    return found["items"] if found["kind"] == "List" else found


def apply(documents, *arguments):
    """Applies objects in their order; returns them as the server has them."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(documents)})
    answer = json.loads(kubectl("apply", "-o", "json", "-f", "-", *arguments, stdin=listed))
    return answer["items"] if answer["kind"] == "List" else [answer]


def wait(condition, *arguments, timeout=180):
    """kubectl wait, for a condition such as "condition=Ready". After an outage the cluster's own programs may pause for
    a minute before they try again."""
    kubectl("wait", f"--for={condition}", f"--timeout={timeout}s", *arguments, timeout=timeout + 10)


def component(action, name, *signal):
    """Stops, starts or restarts a component of the bed; one that starts is waited for until it answers."""
    done = subprocess.run([BED / "component", action, name, *signal], capture_output=True, text=True, timeout=180,
                          check=False)
    assert done.returncode == 0, f"{action} {name}: {done.stdout}{done.stderr}"
