// What the audit trail says of requests and sessions (observe/audit_trail.h writes it;
// docs/operate/audit.md lists the fields).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/exchange.h"
#include "gateway/services.h"

namespace sluice::gateway {

/// How a session ended.
struct SessionOutcome {
  unsigned close_code = 0;
  std::string reason;
  std::optional<int> exit_code;  // of a process that ended by itself
  nanoseconds duration{};
  std::uint64_t received_bytes = 0;  // from the client
  std::uint64_t sent_bytes = 0;
  std::uint64_t lines = 0;        // of a log, sent
  std::string recording_problem;  // why it lacks something; empty: it doesn't
};

/// A request was answered, or refused with `error`.
void audit_request(const Services& services, const Exchange& exchange, unsigned status,
                   nanoseconds latency, const Error* error);

void audit_session_begin(const Services& services, const SessionSubject& subject);
void audit_session_end(const Services& services, const SessionSubject& subject,
                       const SessionOutcome& outcome);

/// As much of it as the operator wants on record: its words may hold secrets.
std::vector<std::string> audited_command(const Settings& settings,
                                         const std::vector<std::string>& command);

}  // namespace sluice::gateway
