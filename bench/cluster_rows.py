"""The rows that a cluster is measured by: each a function that takes a ClusterStand and yields results."""
import cluster_cli
import cluster_copies
import cluster_logs
import cluster_sessions
import cluster_streams

ALL = {
    "logs": cluster_logs.portable_logs,
    "fast-logs": cluster_logs.fast_logs,
    "exec": cluster_streams.exec_streams,
    "port-forward": cluster_streams.port_forward,
    "latency": cluster_streams.exec_latency,
    "follows": cluster_sessions.follows,
    "scale": cluster_sessions.scale,
    "cli-exec": cluster_cli.execution,
    "cli-port-forward": cluster_cli.port_forward,
    "cli-connections": cluster_cli.short_connections,
    "cli-copy": cluster_copies.small_files,
}
