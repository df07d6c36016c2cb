"""Measures sluiced against peers and limits, and writes a table of ratios.

Usage: ./dev bench [--quick] [ROW...]

Every row measures its peer or limit in the same run, on loopback, with the server on one core and the load
on the other. Absolute figures belong to this machine and this minute; the ratios are what is compared.
"""
import argparse
import datetime
import pathlib
import platform
import subprocess
import sys

import rows
from stand import Stand

ROOT = pathlib.Path(__file__).resolve().parent.parent


def describe_machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), "unknown")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True,
                            text=True, check=False).stdout.strip()
    today = datetime.date.today().isoformat()
    return f"{today}, commit {commit}, {cpu}, Linux {platform.release()}; server on one core, load on another."


def render(results):
    lines = ["# Benchmark results", "", describe_machine(), "",
             "| Row | sluiced | Peer or limit | Ratio | Reach | |", "|---|---|---|---|---|---|"]
    for result in results:
        mark = "reached" if result.reached else "**not reached**" if result.reached is False else ""
        lines.append(f"| {result.name} | {result.own} | {result.peer} | {result.ratio} | {result.reach} | {mark} |")
    notes = [f"- {result.name}: {result.note}" for result in results if result.note]
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the bytes: to try the programs")
    parser.add_argument("rows", nargs="*", help="names of rows (default: all): " + ", ".join(rows.ALL))
    arguments = parser.parse_args()
    results = []
    for name in arguments.rows or rows.ALL:
        print(f"== {name}", file=sys.stderr)
        with Stand(ROOT, scale=0.1 if arguments.quick else 1) as stand:
            for result in rows.ALL[name](stand):
                print(f"   {result.name}: {result.own} / {result.peer} = {result.ratio}", file=sys.stderr)
                results.append(result)
    table = render(results)
    print(table)
    if not arguments.quick and not arguments.rows:
        output = ROOT / "bench/results/latest.md"
        output.parent.mkdir(exist_ok=True)
        output.write_text(table)


if __name__ == "__main__":
    main()
