"""sluice cp: files and directories both ways, and cuts on the way."""
import hashlib
import os
import pathlib
import signal
import stat
import subprocess

import pytest

from support.catalogue import PROJECT
from support.cli import PATIENCE
from support.copier import Copier
from support.proxy import Proxy
from support.server import ROOT
from support.terminal import Terminal
from support.waiting import eventually

MIB = 1 << 20
THEN = 1_500_000_000


@pytest.fixture
def cli(platform, tmp_path):
    return Copier(platform.server, platform.token("alice"), PROJECT, tmp_path)


@pytest.fixture
def remote(cli):
    """A directory in the container."""
    folder = cli.sh("mktemp -d").decode().strip()
    yield folder
    cli.sh('rm -rf "$1"', folder)


@pytest.fixture
def proxy(platform):
    """A slow way to the server, that can be cut. It stalls where a test wants to be in the middle of a copy: else the
    copy could be through before the test looks."""
    host, port = platform.server.address
    slow = Proxy((host, port), bytes_per_second=8 * MIB)
    yield slow
    slow.close()


def through(proxy):
    return {"SLUICE_SERVER": f"http://127.0.0.1:{proxy.port}/cluster-api"}


def list_local(folder):
    tree = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        if path.is_symlink():
            what = os.readlink(path)
        else:
            what = digest(path.read_bytes()) if path.is_file() else "directory"
        name = "." if path == folder else "./" + str(path.relative_to(folder))
        tree[name] = (status.st_mode, int(status.st_mtime), what)
    return tree


def digest(data):
    return hashlib.sha256(data).hexdigest()


def make_tree(folder):
    """Whatever names, modes and times may be."""
    deep = folder / "deep" / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    (folder / "empty").mkdir()
    for name in ("plain", " a b ", "new\nline", "-rf", "$(echo x);'\"*?", "ünï", "x" * 250, ".hidden", "nothing"):
        (folder / name).write_bytes(b"" if name == "nothing" else name.encode() * 9)
    (folder / "large").write_bytes(os.urandom(3 * MIB + 7))
    (deep / "inner").write_bytes(b"inner")
    (folder / "link").symlink_to("plain")
    (deep / "up").symlink_to("../../../plain")
    (folder / "broken").symlink_to("nowhere")
    (folder / "plain").chmod(0o755)
    (folder / "large").chmod(0o400)
    for number, path in enumerate(sorted(folder.rglob("*"), reverse=True)):
        os.utime(path, (THEN, THEN + number), follow_symlinks=False)
    (folder / "empty").chmod(0o555)
    deep.chmod(0o750)
    os.utime(folder, (THEN, THEN))


def without_times_of_links(tree):
    """busybox's tar sets none, and makes those that lead up when it has set the times of directories."""
    links = {name for name, (mode, _, _) in tree.items() if stat.S_ISLNK(mode)}
    timeless = links | {name.rpartition("/")[0] for name in links if tree[name][2].startswith("..")}
    return {name: (mode, None if name in timeless else seconds, what) for name, (mode, seconds, what) in tree.items()}


def wait_for(condition, process):
    """Until it holds; the process must not have ended."""
    def look():
        assert process.poll() is None, process.communicate()
        return condition()
    eventually(look, "it is under way", 60)


def cut(proxy, stall_after=None):
    """What comes then passes, or so many bytes of it."""
    proxy.cut()
    proxy.stall_after(stall_after)
    proxy.resume()


def partials(folder):
    return [path for path in pathlib.Path(folder).iterdir() if path.name.endswith(".sluice-partial")]


# --- directories ---


def test_directories_keep_names_modes_times_and_links(cli, platform, remote, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    make_tree(source)
    up = cli.cp(source, f"shell:{remote}/named")
    assert (up.returncode, up.stdout, up.stderr) == (0, b"", b"")
    there = cli.list(f"{remote}/named")
    if platform.kind == "local":
        assert there == list_local(source)
    else:
        assert without_times_of_links(there) == without_times_of_links(list_local(source))
    down = cli.cp(f"shell:{remote}/named", tmp_path / "back")
    assert (down.returncode, down.stdout, down.stderr) == (0, b"", b"")
    assert list_local(tmp_path / "back") == there


def test_into_a_directory_that_is_there(cli, remote, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "f").write_bytes(b"f")
    for _ in range(2):  # again, over what is there
        assert cli.cp(source, f"shell:{remote}").returncode == 0
        assert cli.cp(f"shell:{remote}/source/", tmp_path).returncode == 0
    assert set(cli.list(remote)) == {".", "./source", "./source/f"}
    assert cli.cp(f"shell:{remote}/source/.", tmp_path).returncode == 0
    assert (tmp_path / "f").read_bytes() == b"f"


def test_a_file_into_a_directory_or_under_a_name(cli, remote, tmp_path):
    source = tmp_path / "-a b\n"
    source.write_bytes(b"content")
    source.chmod(0o751)
    os.utime(source, (THEN, THEN))
    assert cli.cp(source, f"shell:{remote}").returncode == 0
    assert cli.cp(source, f"shell:{remote}/named").returncode == 0
    expected = (stat.S_IFREG | 0o751, THEN, digest(b"content"))
    tree = cli.list(remote)
    assert tree["./-a b\n"] == tree["./named"] == expected
    (tmp_path / "into").mkdir()
    assert cli.cp(f"shell:{remote}/-a b\n", tmp_path / "into").returncode == 0
    assert cli.cp(f"shell:{remote}/-a b\n", tmp_path / "renamed").returncode == 0
    back = list_local(tmp_path)
    assert back["./into/-a b\n"] == back["./renamed"] == expected


def test_paths_are_relative_to_the_working_directory(cli, remote, tmp_path):
    name = remote.rpartition("/")[2]  # in /tmp, as the workload is
    cli.sh('echo x >"$1/-x"; mkdir "$1/-d"', remote)
    assert cli.cp(f"shell:{name}/-x", tmp_path).returncode == 0
    assert cli.cp(f"shell:{name}/-d", tmp_path).returncode == 0
    assert (tmp_path / "-x").read_bytes() == b"x\n"
    assert (tmp_path / "-d").is_dir()


# --- large files, and cuts ---


def test_a_large_file_both_ways(cli, remote, tmp_path):
    data = os.urandom(64 * MIB + 1)
    (tmp_path / "large").write_bytes(data)
    up = cli.cp(tmp_path / "large", f"shell:{remote}")
    assert (up.returncode, up.stderr) == (0, b"")
    assert cli.sh('sha256sum <"$1/large"', remote).split()[0].decode() == digest(data)
    down = cli.cp(f"shell:{remote}/large", tmp_path / "back")
    assert (down.returncode, down.stderr) == (0, b"")
    assert (tmp_path / "back").read_bytes() == data
    assert not partials(tmp_path)


def test_a_download_that_is_cut_goes_on_by_itself(cli, remote, tmp_path, proxy):
    cli.sh('head -c 8388608 /dev/urandom >"$1/f"', remote)
    expected = cli.sh('sha256sum <"$1/f"', remote).split()[0].decode()
    proxy.stall_after(3 * MIB)
    process = cli.start("workspace", "cp", f"shell:{remote}/f", str(tmp_path), **through(proxy))
    for size, more in ((2 * MIB, 3 * MIB), (4 * MIB, None)):
        wait_for(lambda: any(part.stat().st_size > size for part in partials(tmp_path)), process)
        assert not (tmp_path / "f").exists()
        cut(proxy, more)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors.count(b"going on") == 2
    assert digest((tmp_path / "f").read_bytes()) == expected
    assert not partials(tmp_path)


@pytest.mark.slow
def test_cuts_are_no_reason_to_give_up_while_it_gets_further(cli, remote, tmp_path, proxy):
    cli.sh('head -c 20971520 /dev/urandom >"$1/f"', remote)
    proxy.stall_after(2.5 * MIB)  # after a cut it goes on at the last whole MiB
    process = cli.start("workspace", "cp", f"shell:{remote}/f", str(tmp_path), **through(proxy))
    for size in range(1, 9):
        wait_for(lambda: any(part.stat().st_size > 1.5 * size * MIB for part in partials(tmp_path)), process)
        cut(proxy, 2.5 * MIB if size < 8 else None)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert errors.count(b"going on") == 8


def test_an_upload_that_is_cut_goes_on_by_itself(cli, remote, tmp_path, proxy):
    data = os.urandom(8 * MIB)
    (tmp_path / "f").write_bytes(data)
    proxy.stall_after(5 * MIB)
    process = cli.start("workspace", "cp", str(tmp_path / "f"), f"shell:{remote}", **through(proxy))
    half = 'size=$(cat "$1"/.f.*.sluice-partial 2>/dev/null | wc -c); echo $((size > 3000000))'
    wait_for(lambda: cli.sh(half, remote) == b"1\n", process)
    assert "./f" not in cli.list(remote)
    cut(proxy)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors.count(b"going on") == 1
    assert set(cli.list(remote)) == {".", "./f"}
    assert cli.sh('sha256sum <"$1/f"', remote).split()[0].decode() == digest(data)


def test_what_is_kept_of_a_killed_copy_is_used_but_not_trusted(cli, remote, tmp_path, proxy):
    cli.sh('head -c 8388608 /dev/urandom >"$1/f"', remote)
    proxy.stall_after(3 * MIB)
    process = cli.start("workspace", "cp", f"shell:{remote}/f", str(tmp_path), **through(proxy))
    wait_for(lambda: any(part.stat().st_size > 2 * MIB for part in partials(tmp_path)), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    part, = partials(tmp_path)
    with part.open("r+b") as file:  # that it is used shows in that the whole is wrong
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    done = cli.cp(f"shell:{remote}/f", tmp_path)
    assert done.returncode == 1
    assert b"differs" in done.stderr
    assert not partials(tmp_path) and not (tmp_path / "f").exists()
    assert cli.cp(f"shell:{remote}/f", tmp_path).returncode == 0
    assert digest((tmp_path / "f").read_bytes()) == cli.sh('sha256sum <"$1/f"', remote).split()[0].decode()


def test_another_version_of_the_file_is_copied_anew(cli, remote, tmp_path):
    (tmp_path / ".f.5.1.sluice-partial").write_bytes(b"other")
    (tmp_path / f".f.5.{THEN}.sluice-partial").write_bytes(bytes(2 * MIB))  # more than there is
    cli.sh('echo text >"$1/f"; touch -d @1500000000 "$1/f"', remote)
    assert cli.cp(f"shell:{remote}/f", tmp_path).returncode == 0
    assert (tmp_path / "f").read_bytes() == b"text\n"


@pytest.mark.parametrize("down", [True, False])
def test_a_directory_that_is_cut_is_a_lost_connection(cli, remote, tmp_path, proxy, down):
    if down:
        cli.sh('mkdir "$1/d"; head -c 8388608 /dev/urandom >"$1/d/f"', remote)
        arguments = f"shell:{remote}/d", str(tmp_path)
    else:
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / "f").write_bytes(os.urandom(8 * MIB))
        arguments = str(tmp_path / "d"), f"shell:{remote}"
    proxy.stall_after(3 * MIB)
    process = cli.start("workspace", "cp", *arguments, **through(proxy))
    there = (lambda: (tmp_path / "d" / "f").exists()) if down else (lambda: "./d/f" in cli.list(remote))
    wait_for(there, process)
    cut(proxy)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 5
    assert b"run the same command again" in errors
    if down:
        assert not (tmp_path / "d" / "f").exists()  # no half of a file
    assert cli.cp(*arguments).returncode == 0


@pytest.mark.slow
def test_a_server_that_stays_away_is_told_of_with_how_to_go_on(cli, remote, tmp_path, proxy):
    cli.sh('head -c 8388608 /dev/urandom >"$1/f"', remote)
    proxy.stall_after(3 * MIB)
    process = cli.start("workspace", "cp", f"shell:{remote}/f", str(tmp_path), **through(proxy))
    wait_for(lambda: any(part.stat().st_size > 2 * MIB for part in partials(tmp_path)), process)
    proxy.target = ("127.0.0.1", 1)  # nobody is there
    cut(proxy)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 5
    assert b"goes on from there" in errors
    assert cli.cp(f"shell:{remote}/f", tmp_path).returncode == 0
    assert digest((tmp_path / "f").read_bytes()) == cli.sh('sha256sum <"$1/f"', remote).split()[0].decode()


def test_interrupt_ends_it(cli, remote, tmp_path, proxy):
    cli.sh('mkdir "$1/d"; head -c 8388608 /dev/urandom >"$1/d/f"', remote)
    proxy.stall_after(3 * MIB)
    process = cli.start("workspace", "cp", f"shell:{remote}/d", str(tmp_path), **through(proxy))
    wait_for(lambda: proxy.is_stalled and (tmp_path / "d" / "f").exists(), process)
    process.send_signal(signal.SIGINT)
    proxy.resume()  # for the end of the connection
    assert process.wait(PATIENCE) == 130
    process.communicate()


def test_a_terminal_sees_how_far_it_is(cli, remote, tmp_path):
    (tmp_path / "f").write_bytes(bytes(MIB))
    (tmp_path / "d").mkdir()
    for arguments, shown in (((str(tmp_path / "f"), f"shell:{remote}"), b"f: 1.0 MiB of 1.0 MiB (100%), "),
                             ((f"shell:{remote}/f", str(tmp_path / "d")), b"f: 1.0 MiB of 1.0 MiB (100%), "),
                             ((f"shell:{remote}", str(tmp_path / "back")), b"back: 1.")):
        terminal = Terminal(cli, "workspace", "cp", *arguments)
        assert shown in terminal.read_to_end()
        terminal.close()


# --- links, and what is no file on a disk ---


def test_a_file_goes_through_the_links_that_lead_to_it(cli, remote, tmp_path):
    (tmp_path / "source").write_bytes(b"new")
    here = tmp_path / "here"
    (here / "real").mkdir(parents=True)
    (here / "real" / "file").write_bytes(b"old")
    (here / "link").symlink_to("middle")
    (here / "middle").symlink_to(here / "real" / "file")
    (here / "dangling").symlink_to("real/none")
    cli.sh("""cd "$1" && mkdir -p there/real && cd there && echo old >real/file
ln -s middle link && ln -s "$1/there/real/file" middle && ln -s real/none dangling""", remote)
    for name, leads_to in (("link", "file"), ("dangling", "none")):
        up = cli.cp(tmp_path / "source", f"shell:{remote}/there/{name}")
        assert (up.returncode, up.stderr) == (0, b"")
        tree = cli.list(f"{remote}/there")
        assert stat.S_ISLNK(tree[f"./{name}"][0])
        assert tree[f"./real/{leads_to}"][2] == digest(b"new")
        down = cli.cp(f"shell:{remote}/there/{name}", here / name)
        assert (down.returncode, down.stderr) == (0, b"")
        assert (here / name).is_symlink()
        assert (here / "real" / leads_to).read_bytes() == b"new"
    assert not partials(here) and not partials(here / "real")


def test_links_that_lead_nowhere_are_refused(cli, remote, tmp_path):
    cli.sh('cd "$1" && ln -s none/new lost && ln -s b a && ln -s a b && echo x >f', remote)
    for name in ("lost", "a"):
        up = cli.cp(ROOT / "README.md", f"shell:{remote}/{name}")
        assert (up.returncode, up.stdout) == (2, b"")
        assert b"leads nowhere" in up.stderr
    (tmp_path / "lost").symlink_to("none/new")
    down = cli.cp(f"shell:{remote}/f", tmp_path / "lost")
    assert down.returncode == 2
    assert b"none/: no such directory" in down.stderr


def test_a_target_that_is_a_descriptor_stays_one(cli, remote, tmp_path):
    cli.sh('echo x >"$1/f"', remote)
    link = tmp_path / "stdout"
    link.symlink_to("/proc/self/fd/1")
    done = cli.cp(f"shell:{remote}/f", link)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"sluice exec" in done.stderr
    assert os.readlink(link) == "/proc/self/fd/1"
    assert cli.cp(ROOT / "README.md", "shell:/dev/stdout").returncode == 2


def test_files_without_a_size_are_copied_whole(cli, remote, tmp_path):
    down = cli.cp("shell:/proc/cpuinfo", tmp_path / "down")
    assert (down.returncode, down.stderr) == (0, b"")
    assert (tmp_path / "down").read_bytes().startswith(cli.sh("head -c 9 /proc/cpuinfo"))
    assert cli.cp("shell:/sys/devices/system/cpu/online", tmp_path / "down").returncode == 0
    assert (tmp_path / "down").read_bytes() == cli.sh("cat /sys/devices/system/cpu/online")
    up = cli.cp("/proc/version", f"shell:{remote}/up")
    assert (up.returncode, up.stderr) == (0, b"")
    assert cli.sh('cat "$1/up"', remote) == pathlib.Path("/proc/version").read_bytes()


def test_directories_without_sizes_are_copied_whole_or_refused(cli, remote, tmp_path):
    refused = cli.cp("shell:/proc/sys/kernel/random", tmp_path / "down")
    assert refused.returncode == 2
    assert b"one by one" in refused.stderr
    up = cli.cp("/proc/sys/kernel/random", f"shell:{remote}/up")
    expected = pathlib.Path("/proc/sys/kernel/random/poolsize").read_bytes()
    assert cli.sh('cat "$1/up/poolsize"', remote) == expected
    assert up.returncode in (0, 1)  # some of it may not be read


def test_a_file_of_the_kernel_whose_size_is_wrong_is_told_of(cli, remote):
    done = cli.cp("/sys/devices/system/cpu/online", f"shell:{remote}/f")
    assert done.returncode == 1
    assert b"ended before its size" in done.stderr
    assert set(cli.list(remote)) == {"."}  # nor a partial file


# --- files that change meanwhile ---


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("change, whole", [("overwritten", False), ("shortened", False), ("appended", True)])
def test_a_file_that_changes_meanwhile(cli, remote, tmp_path, proxy, down, change, whole):
    # More than all buffers of a cluster's way hold: what has been read as a whole can't change any more.
    data = os.urandom(96 * MIB)
    (tmp_path / "source").mkdir()
    source = tmp_path / "source" / "f"
    source.write_bytes(data)
    os.utime(source, (THEN, THEN))
    if down:
        assert cli.cp(source, f"shell:{remote}/f").returncode == 0
    script = {"overwritten": 'printf x | dd of="$1" conv=notrunc bs=1 seek=100 2>/dev/null',
              "shortened": 'truncate -s 5242880 "$1"', "appended": 'echo more >>"$1"'}[change]
    arguments = (f"shell:{remote}/f", str(tmp_path)) if down else (str(source), f"shell:{remote}")
    proxy.stall_after(2 * MIB)
    process = cli.start("workspace", "cp", *arguments, **through(proxy))
    wait_for(lambda: proxy.is_stalled, process)
    if down:
        cli.sh(script, f"{remote}/f")
    else:
        subprocess.run(["sh", "-c", script, "sh", str(source)], check=True)
    proxy.bytes_per_second = None
    proxy.resume()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (0 if whole else 1), errors
    assert (b"changed while it was copied" in errors) != whole
    there = tmp_path if down else remote
    if whole:
        copied = (tmp_path / "f").read_bytes() if down else cli.sh('cat "$1/f"', remote)
        assert copied == data
    elif down:
        assert not partials(there) and not (tmp_path / "f").exists()
    else:
        assert set(cli.list(remote)) == {"."}


# --- refusals ---


@pytest.mark.parametrize("source, target, code, words", [
    ("shell:/no/such", ".", 4, b"no such file"), ("shell:/dev/null", ".", 2, b"neither"),
    ("no-such-file", "shell:/tmp", 2, b"no-such-file"), ("/dev/null", "shell:/tmp", 2, b"neither"),
    ("shell:/a", "shell:/b", 2, b"WORKLOAD:PATH"), ("./a", "./b", 2, b"WORKLOAD:PATH"),
    ("shell:/etc/hosts", "/dev/null", 2, b"no file"), ("shell:/etc/hosts", "no/such/", 2, b"no such directory"),
    ("shell:/etc/hosts", "no/such/f", 2, b"no/such/: no such directory"),
    (str(ROOT / "README.md"), "shell:/no/such/directory", 4, b"/no/such/: no such directory"),
    ("-lead", "shell:/tmp", 2, b'no option "-lead"'),
    (str(ROOT / "README.md"), "shell:/dev/null", 2, b"neither"), ("nope:/a", ".", 4, b"nope")])
def test_refusals(cli, tmp_path, source, target, code, words):
    done = cli.cp(source, target if target != "." else tmp_path)
    assert (done.returncode, done.stdout) == (code, b"")
    assert words in done.stderr


def test_what_is_no_file_is_left_out_and_told_of(cli, remote, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_bytes(b"x")
    os.mkfifo(source / "pipe")
    up = cli.cp(source, f"shell:{remote}")
    assert up.returncode == 1
    assert b"./pipe: is no file" in up.stderr
    assert set(cli.list(remote)) == {".", "./source", "./source/file"}
    cli.sh('mkfifo "$1/source/pipe"', remote)
    down = cli.cp(f"shell:{remote}/source", tmp_path / "back")
    assert down.returncode == 1
    assert b"./pipe: is no file" in down.stderr
    assert set(list_local(tmp_path / "back")) == {".", "./file"}
