// What the audit trail says of requests and sessions (observe/audit_trail.h writes it;
// docs/operate/audit.md lists the fields).
#pragma once

#include <optional>
#include <string>
#include <string_view>
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

/// A request was answered, or refused with `error`, or its answer broke off with it; without a
/// status: it was not answered. Where nobody knows the caller it may only be counted (RecordQuota).
void audit_request(const Services& services, const Exchange& exchange,
                   std::optional<unsigned> status, nanoseconds latency, const Error* error);
/// What came from there was no request. It may only be counted.
void audit_bad_request(const Services& services, const std::string& peer, unsigned status,
                       const Error& error);
/// How many requests were only counted since the last time, if any were.
void audit_unrecorded(const Services& services);

/// As much of what a client chose as log and audit trail keep, so that it can't fill them: beyond
/// 512 bytes, that it is cut and how long it was.
std::string recorded_text(std::string_view text);

void audit_session_begin(const Services& services, const SessionSubject& subject);
void audit_session_end(const Services& services, const SessionSubject& subject,
                       const SessionOutcome& outcome);

/// As much of it as the operator wants on record: its words may hold secrets.
std::vector<std::string> audited_command(const Settings& settings,
                                         const std::vector<std::string>& command);

}  // namespace sluice::gateway
