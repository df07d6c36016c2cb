#!/usr/bin/env python3
"""Writes an image archive of one layer that holds Debian's static busybox and nothing else.

Usage: image.py ARCHIVE REFERENCE COMMAND [ARGUMENT...]

ARCHIVE is in the format of `docker save`, which `ctr images import` reads. COMMAND is what a container runs
that names none of its own. Equal arguments write equal bytes.
"""
import hashlib
import io
import json
import subprocess
import sys
import tarfile

BUSYBOX = "/bin/busybox"
FOLDERS = ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "var", "var/run", "www")
FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
}
SCRIPTS = {"bin/bash": b'#!/bin/sh\nexec sh "$@"\n'}  # what users of notebooks name


def add_file(archive, name, content, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def add_folder(archive, name):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    archive.addfile(entry)


def add_link(archive, name, target):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    archive.addfile(entry)


def layer():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in FOLDERS:
            add_folder(archive, name)
        for name, content in FILES.items():
            add_file(archive, name, content)
        for name, content in SCRIPTS.items():
            add_file(archive, name, content, 0o755)
        with open(BUSYBOX, "rb") as binary:
            add_file(archive, "bin/busybox", binary.read(), 0o755)
        for applet in subprocess.check_output([BUSYBOX, "--list"], text=True).split():
            if applet != "busybox" and f"bin/{applet}" not in SCRIPTS:
                add_link(archive, f"bin/{applet}", "busybox")
    return buffer.getvalue()


def config(layer_digest, command):
    return json.dumps({
        "architecture": "amd64", "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": command},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
    }).encode()


def main(path, reference, *command):
    content = layer()
    digest = hashlib.sha256(content).hexdigest()
    settings = config(digest, command)
    names = f"{hashlib.sha256(settings).hexdigest()}.json", f"{digest}/layer.tar"
    manifest = [{"Config": names[0], "RepoTags": [reference], "Layers": [names[1]]}]
    with tarfile.open(path, "w") as archive:
        add_file(archive, names[0], settings)
        add_file(archive, names[1], content)
        add_file(archive, "manifest.json", json.dumps(manifest).encode())


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
