#!/usr/bin/env python3
"""Prints a kubeconfig by which a client is a service account, with a token that the API server issues.

Usage: service_account.py NAMESPACE NAME
"""
import json
import sys
import uuid

from cluster import kubectl


def kubeconfig(namespace, name, duration="1h"):
    """JSON, which every reader of kubeconfig files takes, since JSON is YAML."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    token = kubectl("create", "token", name, "--namespace", namespace, "--duration", duration).strip()
    user = f"system:serviceaccount:{namespace}:{name}"
    config["users"] = [{"name": user, "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = user
    return json.dumps(config, indent=2)


class RevocableToken:
    """A token of a service account that the API server takes as long as the secret exists that it is bound to."""

    def __init__(self, namespace, name):
        self.namespace = namespace
        self.secret = f"token-{uuid.uuid4().hex[:8]}"
        kubectl("create", "secret", "generic", self.secret, "-n", namespace)
        self.text = kubectl("create", "token", name, "-n", namespace, "--bound-object-kind=Secret",
                            f"--bound-object-name={self.secret}").strip()

    def revoke(self):
        """The API server keeps a token that it has checked for 10 s."""
        kubectl("delete", "secret", self.secret, "-n", self.namespace)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(kubeconfig(*sys.argv[1:]))
