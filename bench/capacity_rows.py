"""The rows of many sessions at once, each under the limits that a server has unless it is told otherwise."""
import json
import resource
import subprocess

from stand import BASE, LOAD_CORE, free_port, resident_kib, workload
from table import Result, reported

SESSIONS, SESSIONS_OF_A_USER = 20_000, 1_000
STORM = 5_000
SPARE_DESCRIPTORS = 100  # what a server has open besides its sessions
DEFAULTS = "{}"


def ticking(stand, milliseconds):
    return workload("ticker", f"[{stand.build}/load, ticker, '{milliseconds}']")


FOLLOW = f"{BASE}ticker/logs?follow=true&tailLines=0"


def start_load(stand, *arguments):
    return stand.start(stand.build / "load", *arguments, core=LOAD_CORE, stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE)


def answer(client):
    line = client.stdout.readline()
    return json.loads(line) if line else {}


def idle_sessions(stand):
    """Follows that get a line every ten seconds. A descriptor each: more than a process may have open need another."""
    count = int(SESSIONS * stand.scale)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_DESCRIPTORS
    users = stand.tokens_of_users(-(-count // SESSIONS_OF_A_USER))
    servers, clients = [], []
    for begun in range(0, count, most):
        server, port = stand.start_sluiced(ticking(stand, 10_000), limits=DEFAULTS, state=f"state{begun}")
        sessions = min(most, count - begun)
        servers.append((server, sessions))
        clients.append(start_load(stand, "follow", port, sessions, 60, FOLLOW, users))
    answers = [answer(client) for client in clients]
    kibibytes = sum(resident_kib(server.pid) for server, _ in servers)
    served = sum(one.get("served", 0) for one in answers)
    shares = " + ".join(f"{sessions:,}" for _, sessions in servers)
    note = "" if len(servers) == 1 else f"{shares}: a process may have {most + SPARE_DESCRIPTORS:,} files open here"
    yield Result(f"{count:,} idle follows: served a live line", f"{served:,}", "", "", f"{count:,}", served == count,
                 note)
    largest = max(answers, key=lambda one: one.get("served", 0))
    yield reported("the same: seconds to connect, from the first to the last session's line",
                   f"{largest['connect_seconds']:.1f} s, {largest['spread_seconds'] * 1000:.0f} ms")
    yield reported("the same: resident memory of the servers, workload included", f"{kibibytes / 1024:.0f} MiB")


def reconnect_storm(stand):
    """All clients lose their server at the same moment, and come again as soon as they can."""
    count = int(STORM * stand.scale)
    port = free_port()
    users = stand.tokens_of_users(-(-count // SESSIONS_OF_A_USER))
    server, _ = stand.start_sluiced(ticking(stand, 1_000), port=port, limits=DEFAULTS)
    client = start_load(stand, "storm", port, count, 60, FOLLOW, users)
    answer(client)
    server.kill()
    server.wait()
    stand.start_sluiced(ticking(stand, 1_000), port=port, limits=DEFAULTS)
    storm = answer(client)
    served = storm["served"]
    connecting = storm["last_seconds"] - storm["first_seconds"]
    waiting = storm["seconds"] - storm["last_seconds"]
    yield Result(f"reconnect storm of {count:,} follows after a crash: served a live line", f"{served:,}", "", "",
                 f"{count:,}", served == count)
    yield reported("the same: from the first session that is back to the last, then to a line on each",
                   f"{connecting:.2f} s, {waiting:.2f} s")
    yield reported("the same: attempts, of them refused with 429 or 503",
                   f"{storm['attempts']:,}, {storm['refusals']:,}")


ALL = {"idle-20000": idle_sessions, "reconnect-storm": reconnect_storm}
