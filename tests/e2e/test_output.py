"""What reads the output of `sluiced` may go: that ends no server."""
import os
import subprocess

import pytest

from support.api_server import ApiServer
from support.catalogue import BASE
from support.client import Client
from support.local import settings
from support.server import Server

pytestmark = pytest.mark.local


def test_a_server_of_a_cluster_outlives_the_readers_of_its_output(tmp_path):
    api = ApiServer()
    (tmp_path / "kubeconfig").write_text(api.kubeconfig())
    kubernetes = {"kubeconfig": "kubeconfig", "mapping": "kubernetes", "stateDir": "state"}
    server = Server(tmp_path, settings(backend={"kind": "kubernetes", "kubernetes": kubernetes}, audit={}, admin=None,
                                       log={"level": "debug"}))
    (out, its_out), (err, its_err) = os.pipe(), os.pipe()
    server.process = subprocess.Popen([server.program, "--config", str(server.config)], stdout=its_out, stderr=its_err)
    os.close(its_out)
    os.close(its_err)
    try:
        with open(err, encoding="utf-8") as lines:
            server.log.write_text("".join(iter_until(lines, "listening on")))
        assert server._ready()  # it looks at the log that was written here
        os.close(out)
        client = Client(server, server.token())
        for _ in range(3):
            assert client.get(BASE + "/status").status == 200
        assert server.process.poll() is None
    finally:
        assert server.stop() == 0
        api.close()


def iter_until(lines, text):
    for line in lines:
        yield line
        if text in line:
            return
