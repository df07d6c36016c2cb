"""The local backend runs workloads as other users of the machine, where sluiced may (`user` in the workloads file)."""
import os
import pathlib
import pwd
import shutil
import stat
import tempfile

import pytest

from support.catalogue import FOREVER, PROJECT, Workload, shell
from support.client import Client
from support.local import describe, settings
from support.processes import with_argument
from support.server import SLUICED, Server, sluiced
from support.waiting import eventually

pytestmark = pytest.mark.local
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may take on other users, or make the rights to")

RIGHTS = "+setuid,+setgid,+kill,+chown"
# `worker` of two more groups, in a user database that only the server and its workloads see.
PASSWD = "worker:x:54321:54321::/home/worker:/bin/sh"
GROUP = "worker:x:54321:\ncrew:x:54322:worker\nshift:x:54323:worker"
DATABASE = ["unshare", "--mount", "sh", "-c",
            'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && exec "$@"']
IDS = 'echo "$(id -u) $(id -g) $(id -G) $HOME $USER $LOGNAME $SHELL ${TMPDIR-no}"'
WORKER = "54321 54321 54321 54322 54323 /home/worker worker worker /bin/sh no"


@pytest.fixture
def folder():
    """One that other users may enter."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="sluice-users-"))
    path.chmod(0o755)
    for name, own in (("passwd", PASSWD), ("group", GROUP)):
        (path / name).write_text(pathlib.Path(f"/etc/{name}").read_text() + own + "\n")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def serve_there(folder):
    """serve_there(*workloads, runner=…) gives alice's client; a runner is what becomes the server."""
    servers = []

    def start(*workloads, runner=(), user=None):
        projects = describe(*workloads)
        server = Server(folder, settings())
        server.write_workloads(projects)
        if user is not None:
            path = folder / "workloads.yaml"
            path.write_text(f"user: {user}\n" + path.read_text())
        server.runner = [*runner]
        servers.append(server)
        server.start()
        return Client(server, server.token())

    yield start
    for server in servers:
        server.stop()


def in_database(folder):
    return [*DATABASE, str(folder)]


def logged(client, workload):
    return b"".join(client.logs(workload)[0]).decode()


# --- as root ---


@needs_root
def test_container_and_execs_in_it_have_the_users_ids_groups_and_environment(serve_there, folder):
    target = Workload("target", (shell(f"{IDS}; {FOREVER}", user="worker"),))
    client = serve_there(target, runner=in_database(folder))
    eventually(lambda: logged(client, target) == WORKER + "\n", "it runs")
    assert client.run(target, "sh", "-c", IDS)[0].decode() == WORKER + "\n"


@needs_root
def test_user_of_the_file_is_for_containers_that_name_none(serve_there):
    target = Workload("target", (shell(f"id -un; {FOREVER}", "plain"), shell(f"id -un; {FOREVER}", "own", user="root")))
    client = serve_there(target, user="daemon")
    for container, user in (("plain", b"daemon\n"), ("own", b"root\n")):
        eventually(lambda: b"".join(client.logs(target, container=container)[0]) == user, f"{container} is {user}")


@needs_root
def test_env_of_the_file_comes_before_the_users(serve_there):
    target = Workload("target", (shell("echo $HOME", user="daemon", env={"HOME": "/elsewhere"}),))
    client = serve_there(target)
    eventually(lambda: logged(client, target) == "/elsewhere\n", "HOME")


@needs_root
def test_terminal_and_pipes_are_the_users_own(serve_there):
    script = "echo out > /dev/stdout; echo err > /dev/stderr; stat -c %U $(tty)"
    client = serve_there(target := Workload("target", (shell(FOREVER, user="daemon"),)))
    eventually(lambda: client.phase(target) == "Running", "Running")
    output, closed = client.run(target, "sh", "-c", script, stdin="true", tty="true")
    assert (output, closed.code) == (b"out\r\nerr\r\ndaemon\r\n", 1000)
    script = "echo out > /dev/stdout; cat > /dev/null; cat /dev/stdin"
    assert client.run(target, "sh", "-c", script)[0] == b"out\n"


@needs_root
def test_state_directory_is_closed_to_the_user(serve_there, folder):
    (folder / "state").mkdir(mode=0o755)
    client = serve_there(target := Workload("target", (shell(FOREVER, user="daemon"),)))
    eventually(lambda: client.phase(target) == "Running", "Running")
    assert stat.S_IMODE((folder / "state").stat().st_mode) == 0o700
    output, closed = client.run(target, "ls", str(folder / "state"))
    assert (b"Permission denied" in output, closed.reason) == (True, "exit code 2")
    environment = f"/proc/{client.server.pid}/environ"
    assert b"Permission denied" in client.run(target, "cat", environment)[0]


@needs_root
def test_its_whole_tree_ends_with_the_server(serve_there, folder):
    script = f"setsid sh -c 'sleep 1000000' {folder}-orphan & exec sleep 1000000"
    client = serve_there(Workload("target", (shell(script, user="daemon"),)))
    eventually(lambda: with_argument(f"{folder}-orphan"), "the tree")
    assert client.server.stop() == 0
    assert not with_argument(f"{folder}-orphan")


@needs_root
def test_unknown_user_is_refused_at_start_and_changes_nothing_at_reload(serve_there, folder):
    client = serve_there(kept := Workload("kept", (shell(f"id -un; {FOREVER}", user="daemon"),)))
    eventually(lambda: logged(client, kept) == "daemon\n", "it runs")
    client.server.reload(describe(Workload("kept", (shell(FOREVER, user="ghost"),))))
    eventually(lambda: 'no user \\"ghost\\"' in client.server.output, "a log line")
    assert client.phase(kept) == "Running"
    checked = sluiced("--config", client.server.config, "--check")
    assert checked.returncode == 2
    assert f'workloads.yaml:9: projects.{PROJECT}[0].containers[0].user: this machine has no user "ghost"' \
        in checked.stderr


# --- as an ordinary user ---


def ordinary(*options):
    """A command that becomes the user nobody."""
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv here")
    if not os.stat(SLUICED).st_mode & stat.S_IXOTH:
        pytest.skip(f"{SLUICED} is not for other users to run")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *options]


@needs_root
def test_ordinary_user_without_the_rights_is_told_which_ones_it_takes(folder):
    server = Server(folder, settings(), describe(Workload("target", (shell(FOREVER, user="daemon"),))))
    os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    server.runner = ordinary()
    with pytest.raises(AssertionError):
        server.start()
    assert server.process.wait(timeout=10) == 2
    assert 'sluiced may not run processes as "daemon": it lacks CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_CHOWN' \
        in server.output


@needs_root
def test_ordinary_user_with_the_rights_may_and_hands_none_of_them_on(serve_there, folder):
    os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    script = f"id -un; grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status | cut -f2 | uniq; {FOREVER}"
    other = Workload("other", (shell(script, user="daemon"),))
    own = Workload("own", (shell(script),))
    client = serve_there(other, own, runner=ordinary("--inh-caps", RIGHTS, "--ambient-caps", RIGHTS))
    eventually(lambda: logged(client, other) == "daemon\n" + "0" * 16 + "\n", "as daemon")
    eventually(lambda: logged(client, own).startswith("nobody\n"), "as sluiced's own user")
    capabilities = client.run(own, "grep", "-E", "^Cap(Prm|Eff|Amb)", "/proc/self/status")[0].decode().split()
    assert set(capabilities[1::2]) == {"0" * 16}
    assert client.run(other, "id", "-un")[0] == b"daemon\n"
    client.server.reload(describe(own))
    eventually(lambda: client.get(other.path("status")).status == 500, "it may be stopped, too")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may take on anybody")
def test_ordinary_user_may_be_named_by_itself(serve_there):
    own = pwd.getpwuid(os.geteuid()).pw_name
    client = serve_there(target := Workload("target", (shell(f"id -un; {FOREVER}", user=own),)))
    eventually(lambda: logged(client, target) == own + "\n", "it runs")
