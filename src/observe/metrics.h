// What sluiced counts, all of it here, as functions that take values. Names begin with sluice_;
// labels come from the enumerations below, so their number is bounded. Any thread may call
// anything. docs/operate/metrics.md explains each; tools/check_docs compares.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace sluice {

/// Label `endpoint`.
enum class Endpoint {
  ClusterStatus,
  Workloads,
  WorkloadStatus,
  Pods,
  Logs,
  LogDownload,
  Exec,
  Attach,
  PortForward,
  Unknown,
  kCount,
};
/// Label `kind`: what runs after an upgrade, and watches of workloads.
enum class SessionKind { Logs, Exec, Attach, PortForward, Watch, kCount };
/// Label `reason` of sluice_authentication_failures_total.
enum class AuthenticationFailure {
  MissingToken,
  Malformed,
  Expired,
  NotYetValid,
  UnknownIssuer,
  WrongAudience,
  BadSignature,
  Other,
  kCount,
};
/// Label `limit` of sluice_limit_refusals_total.
enum class Limit {
  Connections,
  Sessions,
  SessionsPerUser,
  BufferedBytes,
  UpgradeRate,
  UpgradeRatePerUser,
  HeaderSize,
  BodySize,
  MessageSize,
  kCount,
};
/// Label `outcome`.
enum class FetchOutcome { Succeeded, Failed, kCount };

std::string_view to_string(Endpoint endpoint);
std::string_view to_string(SessionKind kind);
std::string_view to_string(AuthenticationFailure reason);
std::string_view to_string(Limit limit);

/// A finished session, for its counters.
struct SessionRecord {
  SessionKind kind = SessionKind::Logs;
  nanoseconds duration{0};
  std::uint64_t lines = 0;
  unsigned close_code = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();

  /// One answered request; for an upgrade: status 101, and the time until then.
  void request_served(Endpoint endpoint, unsigned status, nanoseconds latency);
  void connection_opened();
  void connection_closed();

  void session_started(SessionKind kind);
  void session_ended(const SessionRecord& session);
  /// Bytes on the wire of the WebSocket since the last call for that session.
  void session_bytes(SessionKind kind, std::uint64_t received, std::uint64_t sent);

  void authentication_failed(AuthenticationFailure reason);
  void authorization_denied(Endpoint endpoint);
  /// Something was refused because of it: a request with a 4xx, a session's message with 1009; or
  /// connections have to wait.
  void limit_reached(Limit limit);
  /// One fetch of an issuer's keys (JWKS or discovery).
  void keys_fetched(FetchOutcome outcome);
  /// The local backend started a container again.
  void container_restarted();
  void audit_state(bool failing, std::uint64_t lost_lines);
  /// So many requests of unknown callers were only counted in the audit trail.
  void requests_unrecorded(std::uint64_t count);
  void recording_opened();
  void recording_closed();
  /// It could not be made, or doesn't have all of its session.
  void recording_failed();
  void recording_bytes(std::uint64_t written);

  /// What connections and sessions hold for their peers now.
  void bytes_buffered(std::size_t bytes);

  /// The Prometheus text format, 0.0.4.
  std::string exposition() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace sluice
