"""What is shipped asks for no privilege and is built to withstand: programs, systemd units, the Kubernetes manifest."""
import configparser
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from support.catalogue import Container, Workload
from support.client import argv
from support.server import ROOT, SLUICED
from support.waiting import eventually

pytestmark = pytest.mark.local

SLUICE = os.environ.get("SLUICE", str(ROOT / "build/release/sluice"))
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program} here")


# --- programs: a lost flag of the compiler or the linker fails here ---


@pytest.fixture(params=[SLUICED, SLUICE], ids=["sluiced", "sluice"])
def program(request):
    if "build/release" not in str(pathlib.Path(request.param).resolve()):
        pytest.skip("only what is built as release is shipped")
    return request.param


def readelf(what, program):
    done = subprocess.run(["readelf", "--wide", what, program], capture_output=True, text=True, check=True)
    return done.stdout


def segments(program):
    """(type, flags) of the program headers; flags such as "RE"."""
    found = re.findall(r"^  (\w+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]+)\d", readelf("--segments", program), re.M)
    assert found
    return [(kind, flags.replace(" ", "")) for kind, flags in found]


@needs("readelf")
def test_it_may_be_loaded_at_any_address(program):
    assert "DYN (Position-Independent Executable file)" in readelf("--file-header", program)


@needs("readelf")
def test_no_memory_is_both_writable_and_executable(program):
    assert dict(segments(program))["GNU_STACK"] == "RW"
    assert not [kind for kind, flags in segments(program) if "W" in flags and "E" in flags]
    assert "TEXTREL" not in readelf("--dynamic", program)


@needs("readelf")
def test_code_shares_no_page_with_data(program):
    text = readelf("--segments", program)
    loads = re.findall(r"^  LOAD +(0x\w+) (0x\w+) 0x\w+ (0x\w+) 0x\w+ ([RWE ]+)(0x\w+)", text, re.M)
    pages = [(int(offset, 16) // 4096, (int(offset, 16) + int(size, 16) - 1) // 4096, "E" in flags)
             for offset, _, size, flags, _ in loads]
    for first, last, _ in filter(lambda load: load[2], pages):
        assert not [load for load in pages if not load[2] and load[0] <= last and load[1] >= first], pages


@needs("readelf")
def test_what_the_loader_fills_in_is_read_only_thereafter(program):
    assert "GNU_RELRO" in dict(segments(program))
    dynamic = readelf("--dynamic", program)
    assert re.search(r"\(FLAGS\) +.*BIND_NOW", dynamic)
    assert re.search(r"\(FLAGS_1\) +.*NOW", dynamic)
    assert not re.search(r"\((RPATH|RUNPATH)\)", dynamic), "libraries come from the system's folders alone"


@needs("readelf")
def test_overruns_of_the_stack_and_of_buffers_end_it(program):
    symbols = readelf("--dyn-syms", program)
    assert "__stack_chk_fail" in symbols
    assert re.search(r"__\w+_chk@", symbols), "no call that _FORTIFY_SOURCE checks"
    # orq $0,(%rsp): each page that a large frame takes is touched, so that none is skipped over.
    assert b"\x48\x83\x0c\x24\x00" in pathlib.Path(program).read_bytes(), "-fstack-clash-protection is lost"


@needs("readelf")
def test_jumps_and_returns_are_checked_where_the_processor_can(program):
    assert "SHSTK" in readelf("--notes", program)
    branch_targets = pathlib.Path(program).read_bytes().count(b"\xf3\x0f\x1e\xfa")  # endbr64
    assert branch_targets > 1000, "-fcf-protection is lost"


@needs("readelf")
def test_it_calls_nothing_that_would_start_a_shell(program):
    symbols = set(re.findall(r" (\w+)@", readelf("--dyn-syms", program)))
    assert "malloc" in symbols or "free" in symbols, symbols
    # execvp and execlp hand what has no format to /bin/sh.
    assert not symbols & {"system", "popen", "wordexp", "execvp", "execvpe", "execlp"}


# --- no shell ---


def test_what_a_client_sends_is_no_shells_to_read(serve, tmp_path):
    made = tmp_path / "made"
    words = ["$HOME", f"; touch {made}", f"`touch {made}`", f"$(touch {made})", "*", "a  b", "'\"", f"> {made}"]
    client = serve(target := Workload("target", (Container(("sleep", "1000000")),)))
    eventually(lambda: client.phase(target) == "Running", "Running")
    output, closed = client.run(target, "printf", "%s\\n", *words)
    assert (output.decode().splitlines(), closed.code) == (words, 1000)
    assert not made.exists()


def test_a_file_without_a_format_is_not_run_by_a_shell(serve, tmp_path):
    script = tmp_path / "script"
    script.write_text(f"touch {tmp_path}/made\n")
    script.chmod(0o755)
    client = serve(target := Workload("target", (Container(("sleep", "1000000")),)),
                   Workload("script", (Container((str(script),)),)))
    eventually(lambda: client.phase(target) == "Running", "Running")
    refused = client.refused(target.path("exec"), {"command": argv(str(script))})
    assert refused.status == 400
    assert "can't be started: exec format error" in refused.message
    eventually(lambda: client.phase(Workload("script", ())) == "Failed", "Failed")
    assert not (tmp_path / "made").exists()


# --- units ---


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_is_exposed_to_two_of_ten_at_most(unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", [*UNITS, ROOT / "deploy/systemd/sluiced.socket"], ids=lambda unit: unit.name)
def test_unit_has_no_word_that_systemd_does_not_know(unit):
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", unit],
                          capture_output=True, text=True, check=False)
    problems = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert not [line for line in problems if unit.name in line], problems


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_runs_as_an_ordinary_user_who_gains_nothing(unit):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(unit)
    service = parser["Service"]
    assert service["User"] not in ("root", "0")
    assert (service["NoNewPrivileges"], service["CapabilityBoundingSet"], service["AmbientCapabilities"]) \
        == ("yes", "", "")
    assert (service["UMask"], service["StateDirectoryMode"]) == ("0077", "0700")


# --- the manifest of Kubernetes ---


def test_pods_of_the_deployment_run_without_privileges():
    documents = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/deployment.yaml").read_text()))
    deployment, = (document for document in documents if document["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
    for container in pod["containers"] + pod.get("initContainers", []):
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}
        for mount in container["volumeMounts"]:
            assert mount["readOnly"] is True, mount


def test_namespace_admits_nothing_less_strict():
    kustomization = (ROOT / "deploy/kubernetes/kustomization.yaml").read_text()
    assert "pod-security.kubernetes.io/enforce: restricted" in kustomization
    containerfile = (ROOT / "deploy/image/Containerfile").read_text()
    assert re.search(r"^FROM scratch$", containerfile, re.M)
    assert re.search(r"^USER 65532:65532$", containerfile, re.M)
