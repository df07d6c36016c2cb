#!/usr/bin/env python3
"""Brings the workloads of manifests/samples to life, in the shape that Run:ai and Kubeflow give them.

The controllers of those kinds are not here: their objects' pods and status come from the manifests, too.
`$(uid Kind/name)` in a document stands for the UID that the server gave to an object of the same namespace.
"""
import pathlib
import re
import sys

import yaml

import cluster

MANIFESTS = pathlib.Path(__file__).parent / "manifests"
UID = re.compile(r"\$\(uid ([\w/-]+)\)")


def ready_to_hold_workloads():
    """The kinds are served, and the namespaces have the service account that a pod needs."""
    cluster.kubectl("apply", "-f", str(MANIFESTS / "crds.yaml"), "-f", str(MANIFESTS / "namespaces.yaml"))
    cluster.wait("condition=Established", "-f", str(MANIFESTS / "crds.yaml"))
    for namespace in yaml.safe_load_all((MANIFESTS / "namespaces.yaml").read_text()):
        cluster.wait("create", "serviceaccount/default", "-n", namespace["metadata"]["name"])


def documents(folder):
    for path in sorted(folder.glob("*.yaml")):
        yield from (text for text in path.read_text().split("\n---\n"))


def namespace_of(text):
    return yaml.safe_load(text)["metadata"]["namespace"]


def with_uids(text, uids):
    """The document with its UIDs filled in, or None while one is unknown."""
    namespace = namespace_of(text)
    wanted = {name: uids.get((namespace, name)) for name in UID.findall(text)}
    if None in wanted.values():
        return None
    return yaml.safe_load(UID.sub(lambda match: wanted[match[1]], text))


def create(texts):
    """Creates the documents in rounds: each round, those whose UIDs the rounds before brought."""
    uids, waiting = {}, list(texts)
    while waiting:
        filled = {text: with_uids(text, uids) for text in waiting}
        round_ = [document for document in filled.values() if document]
        assert round_, f"nobody has the UIDs that {len(waiting)} documents ask for"
        for made in cluster.apply(round_):
            uids[made["metadata"]["namespace"], f"{made['kind']}/{made['metadata']['name']}"] = made["metadata"]["uid"]
        set_status(document for document in round_ if "status" in document)
        waiting = [text for text, document in filled.items() if not document]


def set_status(documents_):
    """What the kinds' own controllers would do: applying an object leaves its status alone."""
    stated = [{key: document[key] for key in ("apiVersion", "kind", "metadata", "status")} for document in documents_]
    if stated:
        cluster.apply(stated, "--server-side", "--subresource=status", "--field-manager=samples")


def main():
    ready_to_hold_workloads()
    create(documents(MANIFESTS / "samples"))


if __name__ == "__main__":
    sys.exit(main())
