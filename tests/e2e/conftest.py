"""Fixtures. Most tests share the session's server; those that need a configuration serve their own.

"The contract" is what sluice serves; each test file stands for one section of it and names it.
"""
import os
import shutil

import pytest

from support import catalogue, tokens
from support.client import Client
from support.local import LocalPlatform, describe, settings
from support.network import Network
from support.server import SLUICED, Server
from support.tcp import Listener

FAST = {"pingInterval": "200ms", "idleTimeout": "1s", "shutdownGrace": "500ms"}


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than five seconds")
    config.addinivalue_line("markers", "local: knows the local backend, no other platform")


@pytest.fixture(scope="session")
def platform(tmp_path_factory):
    """The platform under test. A second backend joins the suite by a second parameter here."""
    assert shutil.which(SLUICED), f"no server at {SLUICED}: build it or set SLUICED"
    local = LocalPlatform(tmp_path_factory.mktemp("platform"))
    yield local
    assert local.server.stop(timeout=60) == 0, local.server.output


@pytest.fixture
def client(platform):
    """alice, who may do everything in the project."""
    return platform.client


@pytest.fixture
def serve(tmp_path):
    """serve(*workloads, **settings) starts a server for one test and gives alice's client."""
    servers = []

    def start(*workloads, **changes):
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        server = Server(folder, settings(**changes), describe(*workloads))
        servers.append(server)
        server.start()
        return Client(server, server.token() if "auth" not in changes else None)

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A server with short periods (pings every 200 ms, idle after 1 s): alice's client."""
    folder = tmp_path_factory.mktemp("quick")
    workloads = (catalogue.SHELL, catalogue.CAT, catalogue.LINES)
    server = Server(folder, settings(sessions=FAST), describe(*workloads)).start()
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
