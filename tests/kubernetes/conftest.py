"""Fixtures. The tests run inside the bed (./dev kubernetes test), where KUBECONFIG names its administrator."""
import os
import pathlib
import subprocess
import sys
import uuid

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))  # for its folder `support`
import cluster  # noqa: E402
import samples as sample_workloads  # noqa: E402
from gateway import Gateway  # noqa: E402
from support.proxy import Proxy  # noqa: E402


def pytest_sessionstart():
    assert os.environ.get("KUBECONFIG", "").endswith("/state/admin.kubeconfig"), \
        "these tests change the cluster that KUBECONFIG names: run them by ./dev kubernetes test"


@pytest.fixture(scope="session")
def samples():
    """The sample workloads, running. They stay when the tests end: the next run finds them."""
    sample_workloads.main()
    # Otherwise it would be among those that are waited for to be ready.
    cluster.wait("jsonpath={.status.phase}=Succeeded", "-n", "runai-project1", "pod/finished-0-0")
    for namespace in ("runai-project1", "runai-project2", "research", "plain"):
        cluster.wait("condition=Ready", "pod", "-n", namespace, "--all", "--field-selector=status.phase!=Succeeded")


@pytest.fixture
def namespace():
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    cluster.wait("create", "serviceaccount/default", "-n", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def start():
    """start(*command) runs a program until the test ends, with its standard output as a pipe."""
    started = []

    def begin(*command):
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """sluiced with a project of its own, behind a proxy that can fail; one for each file of tests."""
    proxy = Proxy()
    served = Gateway(tmp_path_factory.mktemp("gateway"), proxy, f"faults-{uuid.uuid4().hex[:8]}")
    yield served
    served.close()
    proxy.close()


@pytest.fixture
def proxy(gateway):
    """The gateway's; it flows again when the test ends."""
    yield gateway.proxy
    gateway.proxy.resume()
