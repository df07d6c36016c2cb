// What an operator decides about the gateway: the parts of the configuration that requests and
// sessions feel. Immutable while the server runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "base/clock.h"
#include "base/token_bucket.h"
#include "gateway/error_response.h"
#include "http/server_connection.h"

namespace sluice::gateway {

/// What the audit trail keeps of the commands of execs.
enum class AuditedCommands { Full, Program, None };

struct Settings {
  std::string base_path = "/cluster-api";  // "" for the root; no slash at the end
  std::string version;                     // sluice's own, for the cluster status
  MissingWorkload missing_workload = MissingWorkload::PlainText500;
  nanoseconds ping_interval = seconds(30);
  nanoseconds idle_timeout = std::chrono::minutes(5);
  nanoseconds shutdown_grace = seconds(30);
  nanoseconds upgrade_grace = std::chrono::hours(24);
  std::size_t max_sessions = 20'000;
  std::size_t max_sessions_per_user = 1'000;
  /// From here on no session begins. Those that run hold no more than their blocks, each.
  std::size_t max_buffered_bytes = std::size_t{1} << 30;
  // How fast sessions may begin. All sessions of a full server, or of a user, fit into the burst:
  // after a restart they come back at once.
  RateLimit upgrade_rate{.per_second = 10'000, .burst = 20'000};
  RateLimit upgrade_rate_per_user{.per_second = 1'000, .burst = 2'000};
  http::ServerLimits http;
  /// Of a client's message. Messages are handed on as they come, so their size costs no memory.
  std::uint64_t max_message_bytes = std::numeric_limits<std::uint64_t>::max();
  bool compression = false;  // permessage-deflate, where a client offers it
  AuditedCommands audited_commands = AuditedCommands::Full;
};

}  // namespace sluice::gateway
