"""Measures sluiced against peers and limits, and writes a table of ratios.

Usage: ./dev bench [--quick] [ROW...]

Every row measures its peer or limit in the same run, on loopback, with the server on one core and the load
on the other. Absolute figures belong to this machine and this minute; the ratios are what is compared. They
mean little while other work runs beside them: programs that wait for each other lose their turn to it, however
little they compute. So each row first looks whether the machine is idle, and says when it is not.
"""
import argparse
import datetime
import pathlib
import platform
import subprocess
import sys

import rows
from stand import Stand, busy_share

BUSY = 0.1  # the share of other work from which on a row's figures are in doubt
ROOT = pathlib.Path(__file__).resolve().parent.parent


def describe_machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), "unknown")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True,
                            text=True, check=False).stdout.strip()
    today = datetime.date.today().isoformat()
    return f"{today}, commit {commit}, {cpu}, Linux {platform.release()}; server on one core, load on another."


def render(results, doubts):
    lines = ["# Benchmark results", "", describe_machine(), "",
             "| Row | sluiced | Peer or limit | Ratio | Reach | |", "|---|---|---|---|---|---|"]
    for result in results:
        mark = "reached" if result.reached else "**not reached**" if result.reached is False else ""
        lines.append(f"| {result.name} | {result.own} | {result.peer} | {result.ratio} | {result.reach} | {mark} |")
    notes = [f"- {result.name}: {result.note}" for result in results if result.note]
    notes += [f"- {doubt}" for doubt in doubts]
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the bytes: to try the programs")
    parser.add_argument("rows", nargs="*", help="names of rows (default: all): " + ", ".join(rows.ALL))
    arguments = parser.parse_args()
    results, doubts = [], []
    for name in arguments.rows or rows.ALL:
        print(f"== {name}", file=sys.stderr)
        busy = busy_share()
        if busy > BUSY:
            doubts.append(f"{name}: in doubt, the machine was {busy:.0%} busy before it began")
            print(f"   {doubts[-1]}", file=sys.stderr)
        with Stand(ROOT, scale=0.1 if arguments.quick else 1) as stand:
            for result in rows.ALL[name](stand):
                print(f"   {result.name}: {result.own} / {result.peer} = {result.ratio}", file=sys.stderr)
                results.append(result)
    table = render(results, doubts)
    print(table)
    if not arguments.quick and not arguments.rows:
        output = ROOT / "bench/results/latest.md"
        output.parent.mkdir(exist_ok=True)
        output.write_text(table)


if __name__ == "__main__":
    main()
