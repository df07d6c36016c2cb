"""Fixtures. Most tests share the session's server; those that need a configuration serve their own.

"The contract" is what sluice serves; each test file stands for one section of it and names it.
"""
import os
import shutil

import pytest

from support import catalogue, tokens
from support.client import Client
from support.local import LocalBackend
from support.network import Network
from support.platform import Platform
from support.server import SLUICED
from support.tcp import Listener

FAST = {"pingInterval": "200ms", "idleTimeout": "1s", "shutdownGrace": "500ms"}


def pytest_addoption(parser):
    parser.addoption("--platform", default="local", choices=["local", "kubernetes"],
                     help="what runs the workloads; kubernetes: within ./dev kubernetes contract")
    parser.addoption("--authorization", default="impersonate",
                     choices=["impersonate", "subject-access-review"],
                     help="how the server asks a cluster who may do what")
    parser.addoption("--mapping", default="runai", choices=["runai", "kubernetes"],
                     help="whose objects a cluster's workloads are")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than five seconds")
    config.addinivalue_line("markers", "local: knows the local backend, no other")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--platform") == "local":
        return
    for item in items:
        if item.get_closest_marker("local"):
            item.add_marker(pytest.mark.skip(reason="of the local backend alone"))


@pytest.fixture(scope="session")
def backend(request, tmp_path_factory):
    """What brings workloads to life and makes servers for them."""
    assert shutil.which(SLUICED), f"no server at {SLUICED}: build it or set SLUICED"
    if request.config.getoption("--platform") == "local":
        chosen = LocalBackend()
    else:
        from support.kubernetes import KubernetesBackend  # needs a cluster's kubectl
        chosen = KubernetesBackend(tmp_path_factory.mktemp("cluster"),
                                   request.config.getoption("--authorization"),
                                   request.config.getoption("--mapping"))
    yield chosen
    chosen.close()


@pytest.fixture(scope="session")
def platform(backend, tmp_path_factory):
    """The platform under test: a server with the whole catalogue, and its users."""
    one = Platform(backend, tmp_path_factory.mktemp("platform"))
    yield one
    assert one.server.stop(timeout=60) == 0, one.server.output


@pytest.fixture
def client(platform):
    """alice, who may do everything in the project."""
    return platform.client


@pytest.fixture
def serve(backend, tmp_path):
    """serve(*workloads, **settings) starts a server for one test and gives alice's client."""
    servers = []

    def start(*workloads, **changes):
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        server = backend.serve(folder, *workloads, **changes)
        servers.append(server)
        server.start()
        return Client(server, server.token() if "auth" not in changes else None)

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def quick(backend, tmp_path_factory):
    """A server with short periods (pings every 200 ms, idle after 1 s): alice's client."""
    folder = tmp_path_factory.mktemp("quick")
    workloads = (catalogue.SHELL, catalogue.CAT, catalogue.LINES)
    server = backend.serve(folder, *workloads, sessions=FAST).start()
    yield Client(server, server.token()).settle(*workloads)
    server.stop()


@pytest.fixture
def listener():
    peer = Listener()
    yield peer
    peer.close()


@pytest.fixture
def network():
    """A network of the test's own, whose wire it can cut."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    own = Network()
    yield own
    own.close()


@pytest.fixture
def discovery():
    """An OIDC issuer with one ES256 key."""
    issuer = tokens.Discovery(tokens.Key("ES256", "first"))
    yield issuer
    issuer.stop()
