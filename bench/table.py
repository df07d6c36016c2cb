"""The table of results: what a row is, how rows are measured one after the other, and how it is written."""
import argparse
import dataclasses
import datetime
import pathlib
import platform
import subprocess
import sys
import traceback

from stand import busy_share

BUSY = 0.1  # the share of other work from which on a row's figures are in doubt
ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Result:
    name: str
    own: str
    peer: str
    ratio: str
    reach: str
    reached: bool | None = None
    note: str = ""


def at_least(name, own, peer, unit, reach, note=""):
    """Higher is better: the ratio own/peer has to reach `reach`."""
    ratio = own / peer
    return Result(name, f"{own:,.0f} {unit}", f"{peer:,.0f} {unit}", f"{ratio:.2f}", f"≥ {reach}",
                  ratio >= reach, note)


def at_most(name, own, limit, unit, note=""):
    return Result(name, f"{own:,.2f} {unit}", "", "", f"≤ {limit} {unit}", own <= limit, note)


def reported(name, own, note=""):
    """Nothing has been promised of it."""
    return Result(name, own, "", "", "reported", note=note)


def describe_machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), "unknown")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True,
                            text=True, check=False).stdout.strip()
    return f"{datetime.date.today().isoformat()}, commit {commit}, {cpu}, Linux {platform.release()}"


def render(title, setting, results, doubts):
    lines = [f"# {title}", "", f"{describe_machine()}; {setting}.", "",
             "| Row | sluiced | Peer or limit | Ratio | Reach | |", "|---|---|---|---|---|---|"]
    for result in results:
        mark = "reached" if result.reached else "**not reached**" if result.reached is False else ""
        lines.append(f"| {result.name} | {result.own} | {result.peer} | {result.ratio} | {result.reach} | {mark} |")
    notes = [f"- {result.name}: {result.note}" for result in results if result.note]
    notes += [f"- {doubt}" for doubt in doubts]
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"


def parse_arguments(rows):
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the bytes: to try the programs")
    parser.add_argument("rows", nargs="*", help="names of rows (default: all): " + ", ".join(rows))
    return parser.parse_args()


def measure(title, setting, rows, make_stand, output):
    """Measures the rows that the command line names, prints their table, and writes it if it is the whole one.

    Each row has a stand of its own: make_stand(scale) is a context.
    """
    arguments = parse_arguments(rows)
    results, doubts = [], []
    for name in arguments.rows or rows:
        print(f"== {name}", file=sys.stderr)
        busy = busy_share()
        if busy > BUSY:
            doubts.append(f"{name}: in doubt, the machine was {busy:.0%} busy before it began")
            print(f"   {doubts[-1]}", file=sys.stderr)
        try:
            with make_stand(0.1 if arguments.quick else 1) as stand:
                for result in rows[name](stand):
                    print(f"   {result.name}: {result.own} / {result.peer} = {result.ratio}", file=sys.stderr)
                    results.append(result)
        except (Exception, SystemExit) as problem:  # what the others measured is not lost by it
            traceback.print_exc()
            results.append(Result(name, "failed", "", "", "", False, f"{type(problem).__name__}: {problem}"))
    text = render(title, setting, results, doubts)
    print(text)
    if not arguments.quick and not arguments.rows:
        (ROOT / "bench/results" / output).write_text(text)
