"""The workloads that the tests need, in the field's terms: any platform can bring them to life."""
import dataclasses

BASE = "/cluster-api"
PROJECT = "e2e"
NEXT_PROJECT = "e2e-next"  # of other people
FOREVER = "exec sleep 1000000"


@dataclasses.dataclass(frozen=True)
class Container:
    """One container; `options` are further keys of the workloads file (contract §9)."""
    command: tuple
    name: str = "main"
    options: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Workload:
    """A workload and the phase that it settles in."""
    name: str
    containers: tuple
    type: str = "training"
    framework: str = "runai"
    replicas: int = 1
    phase: str = "Running"
    project: str = PROJECT

    def path(self, endpoint, framework=None):
        """The path of an endpoint, such as "logs/download"."""
        framework = framework or self.framework
        return (f"{BASE}/api/v1/{self.project}/workloads/{self.type}/{framework}/{self.name}"
                f"/{endpoint}")

    def named(self, **changes):
        """The same path parameters with some replaced; nothing of it need exist."""
        return dataclasses.replace(self, **changes)


def shell(script, name="main", **options):
    return Container(("/bin/sh", "-c", script), name, options)


SHELL = Workload("shell", (shell(f"echo ready; {FOREVER}", env={"KEY": "value"},
                                 workingDir="/tmp"),), type="workspace")
LINES = Workload("lines", (shell("i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; done; "
                                 + FOREVER),))
FINISHED = Workload("finished", (shell(r"printf 'first\n\nno newline'"),), phase="Completed")
FAILED = Workload("failed", (shell("echo to stderr >&2; exit 3"),), phase="Failed")
TICKER = Workload("ticker", (shell("i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done"),))
RERUN = Workload("rerun", (shell("trap 'exit 1' TERM; read -r now _ </proc/uptime; "
                                 "echo run $$ at $now; while :; do sleep 0.05; done",
                                 restart="Always"),))
PAIR = Workload("pair", (shell(f"echo I am the sidecar; {FOREVER}", "sidecar"),
                         shell(f"echo I am $SLUICE_POD; {FOREVER}", "pair")),
                type="distributed", framework="pytorch", replicas=2)
DUO = Workload("duo", (shell(f"echo I am alpha; {FOREVER}", "alpha"),
                       shell(f"echo I am beta; {FOREVER}", "beta")))
EMPTY = Workload("empty", (shell(FOREVER),), replicas=0, phase="Pending")
CAT = Workload("cat", (Container(("/bin/cat",), options={"stdin": True}),), type="workspace")
TERMINAL = Workload("terminal", (Container(("/bin/sh", "-i"),
                                           options={"stdin": True, "tty": True}),),
                    type="workspace")
MIB = 1 << 20
LONG = Workload("long", (shell(f"head -c {MIB - 1} /dev/zero | tr '\\0' a; echo; "
                               f"head -c {3 * MIB // 2} /dev/zero | tr '\\0' b; echo; echo end"),),
                phase="Completed")
PARTS = Workload("parts", (shell("while :; do printf part; sleep 0.2; printf 's\\n'; sleep 0.2; "
                                 "done"),))
EXTERNAL = Workload("ew-pytorchjob-ext", (shell(FOREVER),), type="external", framework="external")
PAIRS = tuple(Workload(f"one-{framework}", (shell(FOREVER),), type=kind, framework=framework)
              for kind, framework in [("workspace", "runai"), ("training", "runai"),
                                      ("distributed", "pytorch"), ("distributed", "tf"),
                                      ("distributed", "mpi"), ("distributed", "xgboost"),
                                      ("distributed", "jax"), ("inference", "runai")]) + (EXTERNAL,)
NEIGHBOUR = Workload("neighbour", (shell(f"echo I am next door; {FOREVER}", "next-door"),), project=NEXT_PROJECT)
NAMESAKE = LINES.named(containers=(shell(f"echo I am next door; {FOREVER}"),), project=NEXT_PROJECT)
NEIGHBOURS = (NEIGHBOUR, NAMESAKE)
ALL = (SHELL, LINES, FINISHED, FAILED, TICKER, RERUN, PAIR, DUO, EMPTY, CAT, TERMINAL, LONG,
       PARTS, *PAIRS)
