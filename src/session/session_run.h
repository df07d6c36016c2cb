// SessionRun: what all sessions have in common. Several tasks work on one session; whichever comes
// to an end first says why, and then all of them are ended. It also keeps the watchdog, and lets a
// message that is on its way out finish, so that a Close frame can follow it.
#pragma once

#include <optional>

#include "net/task_group.h"
#include "session/session.h"
#include "session/watchdog.h"

namespace sluice::session {

class SessionRun final {
 public:
  /// Both outlive it.
  SessionRun(const SessionContext& context, ws::Connection& socket);

  ws::Connection& socket;
  /// Owner of the session's tasks, which end when they see fit or when finish() ends them.
  net::TaskGroup tasks;

  /// Something has ended the session. The first to say so wins.
  void report(SessionEnd end);
  void report(SessionEndKind kind, std::string_view reason);
  /// The pod was deleted.
  void report_deleted() { report(SessionEndKind::TargetDeleted, kPodDeleted); }
  /// The upstream failed: reported as UpstreamFailed with `prefix` and the error's message, unless
  /// the error only says that the task was cancelled.
  void report_failure(const Error& error, std::string_view prefix = {});
  /// Reports this if nothing else has ended the session by then.
  void report_after(nanoseconds delay, SessionEnd end);
  bool has_ended() const { return end_.has_value(); }

  /// The piece of a message that receive() returned; nullptr when it was an end, which is reported.
  const ws::MessagePiece* message(const Result<ws::Received>& received);

  /// After each send() or flush(): false once the write failed, which is reported, or the session
  /// has ended.
  bool may_go_on(const Result<>& written);

  /// Around what may keep the session from receiving for long: idle time does not run.
  void hold_back() { watchdog_.hold_back(); }
  void resume() { watchdog_.resume(context_.timers.now()); }

  /// Runs the session: waits for its end, ends its tasks, and says what the end was. Once.
  net::Task<SessionEnd> finish();

 private:
  std::optional<MonotonicTime> watch();
  net::Task<> report_later(nanoseconds delay, SessionEnd end);

  const SessionContext& context_;
  Watchdog watchdog_;
  std::optional<SessionEnd> end_;
};

}  // namespace sluice::session
