"""The bench's stand: starts servers on core 0 and load on core 1, and ends all that it started."""
import base64
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.parse

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

SERVER_CORE, LOAD_CORE = "0", "1"
ISSUER = "https://bench.example"
BASE = "/cluster-api/api/v1/p/workloads/training/runai/"
LINE_BYTES = 100
BOUNDLESS = "{max: 20000, maxPerUser: 20000, upgradeRate: 1000000, upgradeRatePerUser: 1000000}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, deadline=10):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port}")


def workload(name, command, extra=""):
    containers = f"containers: [{{command: {command}{extra}}}]"
    return f"projects: {{p: [{{name: {name}, type: training, framework: runai, {containers}}}]}}\n"


def exec_path(command, **options):
    """Of an exec in the workload `idle`."""
    command = base64.b64encode(json.dumps(command).encode()).decode()
    return f"{BASE}idle/exec?" + urllib.parse.urlencode({"command": command, **options})


class Stand:
    """A temporary folder, the processes started in it, and a key pair that signs tokens."""
    server_cores, load_cores = SERVER_CORE, LOAD_CORE  # as taskset lists them

    def __init__(self, root, scale):
        self.root, self.scale = root, scale
        self.build = root / "build/release"
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-bench-")
        self.path = pathlib.Path(self.folder.name)
        self.processes = []
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            process.wait(timeout=20)
        self.folder.cleanup()

    def write(self, name, text):
        path = self.path / name
        path.write_text(text)
        return path

    def start(self, *command, core=None, **options):
        """Starts a process that lives as long as the stand, on the server's core unless it names another."""
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        command = ["taskset", "-c", core or self.server_cores, *map(str, command)]
        process = subprocess.Popen(command, cwd=self.path, **options)
        self.processes.append(process)
        return process

    def load(self, *arguments):
        """Runs a load command to its end; returns what it measured."""
        command = ["taskset", "-c", self.load_cores, str(self.build / "load"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {done.stderr}")
        return json.loads(done.stdout)

    def token(self, serial=0, user="bench"):
        claims = {"iss": ISSUER, "sub": user, "exp": int(time.time()) + 7200, "jti": str(serial)}
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "bench"})

    def tokens(self, count):
        """A file of that many different tokens."""
        name = f"tokens-{count}"
        if count == 1:
            return self.write(name, self.token())
        return self.write(name, "\n".join(self.token(serial) for serial in range(count)))

    def tokens_of_users(self, count):
        """A file of tokens, one for each of so many users."""
        return self.write(f"users-{count}", "\n".join(self.token(user=f"user{i}") for i in range(count)))

    def start_sluiced(self, workloads, threads=1, tls=False, port=0, limits=BOUNDLESS, state="state",
                      more=""):
        """Starts sluiced with these workloads (YAML) on one loop, and more settings (YAML); returns (process, port)."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        self.write("keys.json", json.dumps({"keys": [key | {"kid": "bench", "alg": "RS256"}]}))
        self.write("workloads.yaml", workloads)
        self.write("sluiced.yaml", f"""
listen: 127.0.0.1:{port}
threads: {threads}
{self.tls_section() if tls else ""}
auth: {{issuers: [{{issuer: "{ISSUER}", jwksFile: keys.json}}]}}
authorization: {{mode: policy, rules: [{{subjects: ["*"], projects: ["*"], verbs: ["*"]}}]}}
backend: {{kind: local, local: {{workloads: workloads.yaml, stateDir: {state}}}}}
sessions: {limits}
log: {{level: error}}
{more}
""")
        log = open(self.path / "log", "w+", encoding="utf-8")
        process = self.start(self.build / "sluiced", "--config", "sluiced.yaml", stderr=log)
        end = time.monotonic() + 10
        while time.monotonic() < end and process.poll() is None:
            for line in (self.path / "log").read_text().splitlines():
                if line.startswith("listening on "):
                    return process, int(line.rsplit(":", 1)[1])
            time.sleep(0.005)
        raise SystemExit("sluiced did not start: " + (self.path / "log").read_text())

    def tls_section(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-subj", "/CN=localhost", "-keyout", self.path / "key.pem",
                        "-out", self.path / "cert.pem"], check=True, capture_output=True)
        os.chmod(self.path / "key.pem", 0o600)
        return "tls: {certificate: cert.pem, key: key.pem}"


def resident_kib(pid):
    for line in open(f"/proc/{pid}/status", encoding="utf-8"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise SystemExit(f"no process {pid}")


def percentile(samples, share):
    """The value below which that share of them lie."""
    return sorted(samples)[int(share * (len(samples) - 1))]


def busy_share(seconds=0.5):
    """How much of the processors' time goes to anything at all now: 0 to 1."""
    def sample():
        with open("/proc/stat", encoding="utf-8") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]  # the latter: idle, and idle but for the disk

    all_before, idle_before = sample()
    time.sleep(seconds)
    all_after, idle_after = sample()
    return 1 - (idle_after - idle_before) / max(1, all_after - all_before)
