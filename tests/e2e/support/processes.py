"""Looking at processes from outside: by what their command line holds."""
import pathlib


def with_argument(marker):
    """The ids of live processes with `marker` somewhere in their command line."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit() and marker in read(folder / "cmdline"):
            if "\nState:\tZ" not in read(folder / "status"):
                found.append(int(folder.name))
    return found


def is_at_rest(pid):
    """It sleeps, and has no child that does something for it."""
    children = read(pathlib.Path(f"/proc/{pid}/task/{pid}/children"))
    return "\nState:\tS" in read(pathlib.Path(f"/proc/{pid}/status")) and not children.split()


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # it ended while we looked
