"""The soak on the local backend: a workload is started, changed and removed."""
from checked import CHURNED, WORKLOADS
from support import local
from support.catalogue import PROJECT


class LocalStage:
    """A server of its own workloads."""
    SETTLED = 60  # seconds until nothing of a client is left

    def __init__(self, folder, settings):
        self._described = local.describe(*WORKLOADS)
        self.server = local.LocalBackend.serve(folder, *WORKLOADS, **settings).start()

    def change(self, dice):
        """One step: the workload is there, changed, or gone."""
        projects = {project: list(workloads) for project, workloads in self._described.items()}
        choice = dice.randrange(3)
        for workload in projects[PROJECT]:
            if workload["name"] == CHURNED.name and choice == 1:
                workload["containers"] = [workload["containers"][0] | {"env": {"STEP": str(dice.random())}}]
        if choice == 2:
            projects[PROJECT] = [each for each in projects[PROJECT] if each["name"] != CHURNED.name]
        self.server.reload(projects)

    def calm(self):
        self.server.reload(self._described)

    def failed_since(self, _):
        """Nothing here ends what others do."""
        return False

    def close(self):
        return self.server.stop(timeout=60)
