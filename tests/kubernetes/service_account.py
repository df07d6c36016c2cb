#!/usr/bin/env python3
"""Prints a kubeconfig by which a client is a service account, with a token that the API server issues.

Usage: service_account.py NAMESPACE NAME
"""
import json
import sys

from cluster import kubectl


def kubeconfig(namespace, name, duration="1h"):
    """JSON, which every reader of kubeconfig files takes, since JSON is YAML."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    token = kubectl("create", "token", name, "--namespace", namespace, "--duration", duration).strip()
    user = f"system:serviceaccount:{namespace}:{name}"
    config["users"] = [{"name": user, "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = user
    return json.dumps(config, indent=2)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(kubeconfig(*sys.argv[1:]))
