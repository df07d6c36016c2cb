"""What a recording costs the session that it is of: the same sessions at two servers, one of which records."""
from alternate import alternate
from stand import LINE_BYTES, exec_path, workload
from table import Result

GIB = 1 << 30
# A recording that can't go on ends its session, so that none is measured without.
RECORDED = """recording: {folder: casts, maxSize: 1099511627776, maxLag: 60s, onFailure: refuse,
  rules: [{subjects: ["*"], projects: ["*"], verbs: [exec]}]}"""


def recordings(stand):
    token = stand.tokens(1)
    ports = [stand.start_sluiced(workload("idle", "[sleep, '86400']"), state=f"state-{name}", more=more)[1]
             for name, more in (("plain", ""), ("recorded", RECORDED))]

    def alternated(figure, verb, *arguments):
        return alternate(*(lambda port=port: stand.load(verb, port, *arguments)[figure] for port in ports))

    count = int(20_000 * stand.scale)
    echo = ["sh", "-c", "head -c 9 >/dev/null; exec cat"]  # the load's first nine bytes are for another target
    plain, recorded = alternated("p99", "pingpong", count, exec_path(echo, stdin="true"), token)
    yield Result("exec on record: 1-byte echo, p99, against one that is not", f"{recorded} µs", f"{plain} µs",
                 f"{recorded / plain:.2f}", "≤ 1.5", recorded <= 1.5 * plain)
    lines = int(GIB * stand.scale) // LINE_BYTES
    flood = ["sh", "-c", f"yes {'x' * (LINE_BYTES - 1)} | head -n {lines}"]
    plain, recorded = alternated("seconds", "drain", exec_path(flood), token, lines * LINE_BYTES)
    megabytes = lines * LINE_BYTES / 1e6
    yield Result("exec on record: 1 GiB of lines, against one that is not", f"{megabytes / recorded:,.0f} MB/s",
                 f"{megabytes / plain:,.0f} MB/s", f"{plain / recorded:.2f}", "reported")


ALL = {"recording": recordings}
