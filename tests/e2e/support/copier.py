"""`sluice cp` as a user runs it, and a look at what it left in the container."""
from support.cli import Cli

# What a remote shell tells of a tree: mode, time, what it is, name.
LIST = r"""cd "$1" && find . -exec sh -c 'for f; do stat -c "%f %Y" "$f"
if [ -L "$f" ]; then readlink "$f"; elif [ -f "$f" ]; then sha256sum <"$f"; else echo directory; fi
printf "%s//\n" "$f"; done' sh {} +"""


class Copier(Cli):
    """Runs `sluice workspace cp` on the workload `shell`, and shell scripts in it."""

    def cp(self, source, target, *options, **keywords):
        return self.run("workspace", "cp", str(source), str(target), *options, **keywords)

    def sh(self, script, *arguments, stdin=b""):
        done = self.run("workspace", "exec", "-i", "shell", "--", "sh", "-c", script, "sh", *arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    def list(self, folder):
        """name -> (mode, time, content)"""
        tree = {}
        for record in self.sh(LIST, folder).decode().split("//\n")[:-1]:
            status, what, name = record.split("\n", 2)
            mode, seconds = status.split()
            tree[name] = (int(mode, 16), int(seconds), what.removesuffix("  -"))
        return tree
