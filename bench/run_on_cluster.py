"""Measures sluiced before a real Kubernetes, and writes a table of ratios.

Usage: ./dev bench --kubernetes [--quick] [ROW...]

Every row measures in turn what goes through sluiced and what kubectl, curl or a bare client gets from the API
server itself: the cluster's own work and noise are in both. What is said in run.py of other work holds here, too.
"""
import functools
import sys

import table

for folder in ("tests/e2e", "tests/kubernetes"):
    sys.path.append(str(table.ROOT / folder))
import cluster_rows  # noqa: E402
from cluster_stand import Cluster, ClusterStand, versions  # noqa: E402

if __name__ == "__main__":
    with Cluster() as shared:
        table.measure("Benchmark results on Kubernetes", f"{versions()}; a cluster of one node, all of it on the "
                      "cores that the load is on", cluster_rows.ALL, functools.partial(ClusterStand, shared),
                      "kubernetes.md")
