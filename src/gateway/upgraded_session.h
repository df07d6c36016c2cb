// A session between its 101 and its end: what serve.cc prepared and session_run.cc runs. Apart from
// the request, so that nothing of that stays in memory while a session lasts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "auth/caller.h"
#include "backend/streams.h"
#include "gateway/activity.h"
#include "gateway/session_limits.h"
#include "observe/metrics.h"
#include "recording/recording.h"
#include "session/session.h"
#include "ws/connection.h"

namespace sluice::gateway {

struct ProcessSource {
  std::unique_ptr<backend::RemoteProcess> process;
  session::ProcessSessionOptions options;
};

struct PortSource {
  std::vector<session::ForwardedPort> ports;
  session::PortSessionOptions options;
};

using SessionSource = std::variant<std::unique_ptr<backend::LogStream>, ProcessSource, PortSource>;

/// Who does what to which container: what the log and the audit trail say of a session.
struct SessionSubject {
  std::string id;  // what its records are told from others' by
  SessionKind kind = SessionKind::Logs;
  std::string user;
  std::vector<std::string> groups;
  std::string peer;
  workload::ContainerRef container;  // of a watch only the project
  std::vector<std::string> command;  // of an exec
  std::string recording;             // its file's name; empty: it is not recorded
};

struct UpgradedSession {
  /// Set while the request still counts: a shutdown must not take the step between for idleness.
  std::optional<Busy> busy;
  SessionSubject subject;
  WallTime token_expires_at;
  SessionTicket ticket;
  std::unique_ptr<recording::Recording> recording;  // null: it is not recorded
  SessionSource source;                             // after it: it writes to it
  std::unique_ptr<ws::Connection> socket;
};

}  // namespace sluice::gateway
