"""Measures sluiced against peers and limits, and writes a table of ratios.

Usage: ./dev bench [--quick] [ROW...]

Every row measures its peer or limit in the same run, on loopback, with the server on one core and the load
on the other. Absolute figures belong to this machine and this minute; the ratios are what is compared. They
mean little while other work runs beside them: programs that wait for each other lose their turn to it, however
little they compute. So each row first looks whether the machine is idle, and says when it is not.
"""
import functools

import rows
import table
from stand import Stand

if __name__ == "__main__":
    table.measure("Benchmark results", "server on one core, load on another", rows.ALL,
                  functools.partial(Stand, table.ROOT), "latest.md")
