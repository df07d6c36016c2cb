"""What the admin listener says, /metrics above all."""
import re

from support.httpclient import request

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$')


def admin(client, path, method="GET"):
    return request(client.server.admin, method, path, {})


def metrics(client):
    """Samples by "name{labels}"."""
    answer = admin(client, "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    samples = {}
    for line in answer.body.decode().splitlines():
        if not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, line
            samples[match.group(1) + (match.group(2) or "")] = float(match.group(3))
    return samples
