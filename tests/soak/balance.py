"""What a server holds: everything that must be back where it was when all clients have gone."""
import dataclasses
import os
import pathlib

from support.metrics import metrics


@dataclasses.dataclass(frozen=True)
class Balance:
    descriptors: int
    threads: int
    processes: int  # all that descend from the server
    tasks: int
    sessions: int
    connections: int

    def is_within(self, other):
        """Whether nothing of it is more."""
        return all(mine <= theirs for mine, theirs in zip(dataclasses.astuple(self), dataclasses.astuple(other)))


def balance_of(client):
    server, samples = client.server, metrics(client)
    return Balance(descriptors=len(os.listdir(f"/proc/{server.pid}/fd")), threads=server.status("Threads"),
                   processes=len(descendants(server.pid)), tasks=int(samples["sluice_tasks"]),
                   sessions=sum(int(value) for name, value in samples.items() if name.startswith("sluice_sessions{")),
                   connections=int(samples["sluice_connections"]))


def descendants(pid):
    """Of a process; those that have ended and wait for their parent count, too."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass  # it ended while we looked
    found, layer = set(), {pid}
    while layer:
        layer = {child for child, parent in parents.items() if parent in layer}
        found |= layer
    return found
