// What an operator decides about the gateway: the parts of the configuration that requests and
// sessions feel. Immutable while the server runs.
#pragma once

#include <cstddef>
#include <string>

#include "base/clock.h"
#include "gateway/error_response.h"

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
  std::size_t max_sessions = 20'000;
  std::size_t max_sessions_per_user = 1'000;
  bool compression = false;  // permessage-deflate, where a client offers it
  AuditedCommands audited_commands = AuditedCommands::Full;
};

}  // namespace sluice::gateway
