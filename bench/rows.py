"""The rows of the table: each a function that takes a stand and yields results."""
import os
import subprocess
import time

import capacity_rows
import cli_rows
import recording_rows
from stand import BASE, LINE_BYTES, LOAD_CORE, exec_path, free_port, resident_kib, wait_for_port, workload
from table import Result, at_least, at_most

GIB = 1 << 30
LINE = "x" * (LINE_BYTES - 1) + "\n"


def wait_for_log(stand, port, token, name, size):
    """Waits until the workload has logged `size` bytes (as framed)."""
    for _ in range(600):
        if stand.load("drain", port, f"{BASE}{name}/logs?tailLines=1", token)["bytes"] > 10:
            if stand.load("drain", port, f"{BASE}{name}/logs", token)["bytes"] >= size:
                return
        time.sleep(0.5)
    raise SystemExit("the log never grew to its size")


def logs(stand):
    lines = int(GIB * stand.scale) // len(LINE)
    text = stand.path / "lines.txt"
    with open(text, "w", encoding="utf-8") as file:
        for _ in range(lines // 1000 + 1):
            file.write(LINE * 1000)
    lines = (lines // 1000 + 1) * 1000
    rotation = ", logs: {maxSize: 4294967296}"
    _, port = stand.start_sluiced(workload("lines", f"[cat, {text}]", rotation))
    token = stand.tokens(1)
    wait_for_log(stand, port, token, "lines", lines * 102)
    path = f"{BASE}lines/logs"
    seconds = min(stand.load("drain", port, path, token, lines * 102)["seconds"] for _ in range(3))
    own = lines / seconds

    limit_seconds = []
    for _ in range(3):
        limit_port = free_port()
        limit = stand.start(stand.build / "load", "limit", limit_port, lines * 102, stdout=subprocess.PIPE)
        limit.stdout.readline()
        limit_seconds.append(stand.load("drain", limit_port)["seconds"])
    yield at_least("one-shot logs, 1 GiB of 100-byte lines, against the socket's limit", own,
                   lines / min(limit_seconds), "lines/s", 0.5)
    yield from logs_against_peers(stand, own)


def logs_against_peers(stand, own):
    peer_lines = int(300_000 * max(stand.scale, 0.3))
    text = stand.write("peer.txt", LINE * peer_lines)
    port = free_port()
    stand.start("websocketd", f"--port={port}", "--address=127.0.0.1", "--binary=false", "cat", text)
    wait_for_port(port)
    no_token = stand.write("no-token", "")
    # websocketd leaves out the line end.
    seconds = stand.load("drain", port, "/", no_token, peer_lines * 101)["seconds"]
    yield at_least("the same against websocketd", own, peer_lines / seconds, "lines/s", 100)

    port = free_port()
    stand.start("node", stand.root / "bench/ws_server.mjs", port, text)
    wait_for_port(port)
    seconds = stand.load("drain", port, "/", no_token, peer_lines * 102)["seconds"]
    yield at_least("the same against a Node ws server", own, peer_lines / seconds, "lines/s", 100)


def start_socat(stand, program):
    port = free_port()
    stand.start("socat", f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr", f"EXEC:{program}")
    wait_for_port(port)
    return port


def exec_streams(stand):
    """Both servers start the program themselves, so it runs on their core."""
    mebibytes = int(4 * GIB * stand.scale) >> 20
    size = mebibytes << 20
    file = stand.path / "big"
    with open(file, "wb") as output:
        for _ in range(mebibytes):
            output.write(b"\0" * (1 << 20))
    _, port = stand.start_sluiced(workload("idle", "[sleep, '86400']"))
    token = stand.tokens(1)

    def fastest(*arguments):
        measured = [stand.load(*arguments) for _ in range(2)]
        return max(run["bytes"] / run["seconds"] for run in measured) / 1e6

    own = fastest("drain", port, exec_path(["cat", str(file)]), token, size)
    peer = fastest("drain", start_socat(stand, f"cat {file}"))
    yield at_least("exec: 4 GiB of stdout, against socat EXEC over TCP", own, peer, "MB/s", 1)

    # `transmit` sends nine bytes before the rest, and ends with the first byte that comes back.
    sink = stand.write("sink.sh", f"dd of=/dev/null bs=128K iflag=count_bytes,fullblock count={size + 9} status=none\n"
                                  "echo received\n")
    own = fastest("transmit", port, size, exec_path(["sh", str(sink)], stdin="true"), token)
    peer = fastest("transmit", start_socat(stand, f"sh {sink}"), size)
    yield at_least("exec: 4 GiB of stdin, against the same", own, peer, "MB/s", 1)


def start_relay(stand, target_port):
    port = free_port()
    stand.write("haproxy.cfg", f"""
global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 5m
  timeout server 5m
listen relay
  bind 127.0.0.1:{port}
  server target 127.0.0.1:{target_port}
""")
    stand.start("haproxy", "-db", "-f", "haproxy.cfg")
    wait_for_port(port)
    return port


def port_forward(stand):
    size = int(4 * GIB * stand.scale)
    target_port = free_port()
    stand.start(stand.build / "load", "target", target_port, core=LOAD_CORE)
    wait_for_port(target_port)
    relay = start_relay(stand, target_port)
    _, port = stand.start_sluiced(workload("idle", "[sleep, '86400']"))
    token = stand.tokens(1)
    path = f"{BASE}idle/port-forward?port={target_port}"
    for verb, direction in (("receive", "from the pod"), ("transmit", "to the pod")):
        own = size / stand.load(verb, port, size, path, token)["seconds"]
        peer = size / stand.load(verb, relay, size)["seconds"]
        yield at_least(f"port-forward, 4 GiB {direction}, against haproxy mode tcp", own / 1e6, peer / 1e6,
                       "MB/s", 0.8)
    count = int(50_000 * stand.scale)
    own = stand.load("pingpong", port, count, path, token)
    peer = stand.load("pingpong", relay, count)
    for share in ("p50", "p99"):
        ratio = own[share] / peer[share]
        yield Result(f"port-forward, 1-byte ping-pong, {share}", f"{own[share]} µs", f"{peer[share]} µs",
                     f"{ratio:.2f}", "≤ 1.5", ratio <= 1.5)


def upgrades(stand):
    seconds = 10 * stand.scale
    _, port = stand.start_sluiced(workload("idle", "[sleep, '86400']"))
    path = f"{BASE}idle/logs?follow=true"
    fresh_tokens = stand.tokens(int(6000 * max(stand.scale, 0.2)))
    nginx_port = free_port()
    stand.write("nginx.conf", f"""
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_timeout 0;
  server {{ listen 127.0.0.1:{nginx_port}; location / {{ return 204; }} }}
}}
""")
    stand.start("/usr/sbin/nginx", "-p", stand.path, "-c", "nginx.conf")
    wait_for_port(nginx_port)

    def rate(port_, status, path_, tokens):
        measured = stand.load("upgrades", port_, seconds, status, path_, tokens)
        return measured["count"] / measured["seconds"]

    one_token = stand.tokens(1)
    peer = rate(nginx_port, 204, "/", one_token)
    yield at_least("upgrades with one cached token, against nginx answering 204", rate(port, 101, path, one_token),
                   peer, "/s", 0.5)
    own = rate(port, 101, path, fresh_tokens)
    yield Result("upgrades with a fresh RS256 token each, against the same", f"{own:,.0f} /s", f"{peer:,.0f} /s",
                 f"{own / peer:.2f}", "reported")


def idle_memory(stand):
    count = int(10_000 * stand.scale)
    token = stand.tokens(1)
    for mode, reach in (("plain", 10), ("tls", 40)):
        server, port = stand.start_sluiced(workload("idle", "[sleep, '86400']"), tls=mode == "tls")
        stand_load = [stand.build / "load", "idle", port]
        # A first few sessions warm up what is allocated once.
        for sessions in (10, count):
            before = resident_kib(server.pid)
            client = stand.start(*stand_load, sessions, mode, f"{BASE}idle/logs?follow=true", token, core=LOAD_CORE,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            client.stdout.readline()
            time.sleep(1)
            after = resident_kib(server.pid)
            client.stdin.close()
            client.wait()
        yield at_most(f"memory of an idle follow session, {count:,} of them, {mode}", (after - before) / count,
                      reach, "KiB")
        server.terminate()
        server.wait()


def live_latency(stand):
    _, port = stand.start_sluiced(workload("ticker", f"[{stand.build}/load, ticker, '10']"))
    measured = stand.load("latency", port, 100, 10 * stand.scale, f"{BASE}ticker/logs?follow=true&tailLines=0",
                          stand.tokens(1))
    yield Result("live latency, line written to line received, 100 followers, p50", f"{measured['p50_ms']} ms", "", "",
                 "reported")
    yield at_most("the same, p99", measured["p99_ms"], 5, "ms")


def footprint(stand):
    milliseconds = []
    for _ in range(5):
        begin = time.monotonic()
        server, _ = stand.start_sluiced(workload("idle", "[sleep, '86400']"), threads=2)
        milliseconds.append((time.monotonic() - begin) * 1000)
        time.sleep(0.5)
        resident = resident_kib(server.pid) / 1024
        server.terminate()
        server.wait()
    yield at_most("start to ready", sorted(milliseconds)[2], 50, "ms")
    yield at_most("resident memory when idle", resident, 15, "MiB")
    stripped = stand.path / "sluiced"
    subprocess.run(["strip", "-o", stripped, stand.build / "sluiced"], check=True)
    yield at_most("size of the stripped binary", os.path.getsize(stripped) / (1 << 20), 10, "MiB")


ALL = {
    "logs": logs,
    "exec": exec_streams,
    "port-forward": port_forward,
    "upgrades": upgrades,
    "memory": idle_memory,
    "latency": live_latency,
    "footprint": footprint,
    **recording_rows.ALL,
    **capacity_rows.ALL,
    **cli_rows.ALL,
}
