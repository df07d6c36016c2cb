"""The row of `sluice cp` on a cluster: many small files, against kubectl cp.

Only to a pod: from one, kubectl's own stream breaks on a busy machine, and its copy with it.
"""
import itertools
import os

from alternate import alternate
from cluster_cli import CommandLine
from cluster_stand import NAMESPACE, kubectl_seconds
from cluster_streams import IDLE
from table import at_least

FOLDERS = 100
FILES = 100  # in each


def small_files(stand):
    stand.create(IDLE)
    cli = CommandLine(stand)
    pod = f"{NAMESPACE}/{stand.pod(IDLE)}"
    source = stand.path / "small"
    count = make_files(source, max(1, int(FOLDERS * stand.scale)))
    names = (f"small-{i}" for i in itertools.count())
    own, peer = alternate(lambda: cli.seconds("cp", source, f"{IDLE.name}:/tmp/{next(names)}"),
                          lambda: kubectl_seconds("cp", source, f"{pod}:/tmp/{next(names)}"))
    yield at_least(f"sluice cp: {count:,} small files to a pod, against kubectl cp", count / own, count / peer,
                   "files/s", 1)


def make_files(folder, folders):
    """How many they are: of one to two kilobytes each."""
    for i in range(folders):
        (folder / f"{i:02}").mkdir(parents=True)
        for j in range(FILES):
            (folder / f"{i:02}" / f"{j:02}").write_bytes(os.urandom(1000 + 10 * j))
    return folders * FILES
