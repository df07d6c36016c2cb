"""sluice cp: containers that lack programs, and those whose tar is hostile."""
import io
import os
import tarfile

import pytest

from support.catalogue import FOREVER, PROJECT, Workload, shell
from support.copier import Copier

pytestmark = pytest.mark.local  # the containers' programs are files of this machine
PROGRAMS = ("cat", "chmod", "dd", "head", "mkdir", "mktemp", "mv", "rm", "sh", "stat", "touch", "wc", "ls")


@pytest.fixture
def equipped(serve, tmp_path):
    """equipped(programs, tar=...) gives a copier to a container that has only those programs, and that tar."""
    def start(programs, tar=None):
        folder = tmp_path / "bin"
        folder.mkdir()
        for program in programs:
            (folder / program).symlink_to(f"/bin/{program}")
        if tar:
            (folder / "tar").write_text(tar)
            (folder / "tar").chmod(0o755)
        bare = Workload("shell", (shell(f"PATH=/bin:/usr/bin; {FOREVER}", env={"PATH": str(folder)}),),
                        type="workspace")
        client = serve(bare)
        client.settle(bare)
        return Copier(client.server, client.token, PROJECT, tmp_path)
    return start


def test_without_tar_files_can_be_copied_and_directories_are_refused(equipped, tmp_path):
    cli = equipped(PROGRAMS)
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_bytes(b"text")
    for arguments in ((f"shell:{tmp_path}/d", tmp_path / "back"), (tmp_path / "d", f"shell:{tmp_path}/back")):
        done = cli.cp(*arguments)
        assert done.returncode == 1
        assert b"the container has no tar" in done.stderr
    for arguments in ((f"shell:{tmp_path}/f", tmp_path / "f2"), (tmp_path / "f", f"shell:{tmp_path}/f3")):
        done = cli.cp(*arguments)
        assert done.returncode == 0
        assert b"no sha256sum" in done.stderr
    assert (tmp_path / "f2").read_bytes() == (tmp_path / "f3").read_bytes() == b"text"


@pytest.mark.parametrize("missing", ["dd", "stat", "cat", "wc", "mv"])
def test_what_a_file_needs_is_named_where_it_is_missing(equipped, tmp_path, missing):
    cli = equipped([program for program in PROGRAMS if program != missing])
    (tmp_path / "f").write_bytes(b"text")
    down = cli.cp(f"shell:{tmp_path}/f", tmp_path / "down")
    up = cli.cp(tmp_path / "f", f"shell:{tmp_path}/up")
    done = down if missing in ("dd", "stat") else up
    assert done.returncode == 1
    assert f"the container has no {missing}".encode() in done.stderr
    assert b"has no sh," not in down.stderr + up.stderr


def test_a_program_that_cannot_be_started_is_no_missing_shell(equipped, tmp_path):
    cli = equipped(PROGRAMS, tar="#!/no/such/interpreter\n")
    (tmp_path / "d").mkdir()
    done = cli.cp(tmp_path / "d", f"shell:{tmp_path}/back")
    assert done.returncode == 1
    assert b"has no sh" not in done.stderr.replace(b"has no sha256sum", b"")


def test_without_a_shell_it_says_so(equipped, tmp_path):
    done = equipped(("ls",)).cp("shell:/etc/hosts", tmp_path / "f")
    assert done.returncode == 1
    assert b"no sh" in done.stderr


def test_archives_cannot_leave_the_target(equipped, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    archive = tmp_path / "hostile.tar"
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        def add(name, kind=tarfile.REGTYPE, link="", content=b"x"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, link
            entry.size = len(content) if kind == tarfile.REGTYPE else 0
            tar.addfile(entry, io.BytesIO(content))
        add("./good")
        add("../outside/dots")
        add(f"{outside}/absolute")
        add("a/../../outside/within")
        add("out", tarfile.SYMTYPE, "../outside")
        add("out/through")
        add("absolute-link", tarfile.SYMTYPE, str(outside))
        add("up", tarfile.SYMTYPE, "sub/..")
        add("hard", tarfile.LNKTYPE, "../outside/secret")
        add("hard2", tarfile.LNKTYPE, str(outside / "secret"))
        add("fifo", tarfile.FIFOTYPE)
        add("device", tarfile.CHRTYPE)
        add("./last")
    cli = equipped((*PROGRAMS, "sha256sum", "tee"), tar=f"#!/bin/sh\nexec cat {archive}\n")
    (tmp_path / "source").mkdir()
    done = cli.cp(f"shell:{tmp_path}/source", tmp_path / "target")
    assert done.returncode == 1
    for name in ("outside/dots", "absolute", "within", "absolute-link", "up", "hard", "hard2", "fifo", "device"):
        assert name in done.stderr.decode()
    assert os.listdir(outside) == ["secret"]
    assert {path.name for path in (tmp_path / "target").iterdir() if path.is_file()} == {"good", "last"}
    assert not any(path.is_symlink() for path in (tmp_path / "target").iterdir())


@pytest.mark.parametrize("bytes_left", [600, 1500, 5000])
def test_an_archive_that_is_cut_short_is_an_error(equipped, tmp_path, bytes_left):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "f").write_bytes(b"x" * 9000)
    with tarfile.open(tmp_path / "whole.tar", "w") as tar:
        tar.add(tmp_path / "source" / "f", "f")
        tar.add(tmp_path / "source" / "f", "g")
    cli = equipped((*PROGRAMS, "sha256sum", "tee"),
                   tar=f"#!/bin/sh\nexec head -c {bytes_left} {tmp_path}/whole.tar\n")
    done = cli.cp(f"shell:{tmp_path}/source", tmp_path / "target")
    assert done.returncode == 1
    assert b"archive is cut short" in done.stderr
    assert not list((tmp_path / "target").iterdir())  # no half of a file
