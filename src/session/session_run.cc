#include "session/session_run.h"

#include <utility>

namespace sluice::session {

SessionRun::SessionRun(const SessionContext& context, ws::Connection& connection)
    : socket(connection),
      tasks(context.executor),
      context_(context),
      watchdog_(context, context.timers.now()) {}

void SessionRun::report(SessionEnd end) {
  if (end_) return;
  end_ = std::move(end);
  context_.interruption.event.notify();  // what finish() waits for
}

void SessionRun::report(SessionEndKind kind, std::string_view reason) {
  report(SessionEnd{kind, std::string(reason), {}});
}

void SessionRun::report_failure(const Error& error, std::string_view prefix) {
  if (error.code == ErrorCode::Cancelled) return;
  report(SessionEndKind::UpstreamFailed, std::string(prefix) + error.message);
}

void SessionRun::report_after(nanoseconds delay, SessionEnd end) {
  tasks.spawn("session deadline", report_later(delay, std::move(end)));
}

net::Task<> SessionRun::report_later(nanoseconds delay, SessionEnd end) {
  const Result<> slept = co_await context_.timers.sleep_for(delay);
  if (slept) report(std::move(end));
}

const ws::MessagePiece* SessionRun::message(const Result<ws::Received>& received) {
  if (!received) {
    if (received.error().code == ErrorCode::InvalidArgument) {
      report(
          SessionEnd{SessionEndKind::ProtocolError, socket.violation().reason, socket.violation()});
    } else if (received.error().code != ErrorCode::Cancelled) {
      report(SessionEndKind::Disconnected, received.error().message);
    }
    return nullptr;
  }
  if (const auto* close = std::get_if<ws::Close>(&*received)) {
    if (close->code == ws::CloseCode::Abnormal) {
      report(SessionEndKind::Disconnected, "connection ended without a close");
    } else {
      report(SessionEnd{SessionEndKind::ClientClosed, close->reason, *close});
    }
    return nullptr;
  }
  return &std::get<ws::MessagePiece>(*received);
}

bool SessionRun::may_go_on(const Result<>& written) {
  if (!written && written.error().code != ErrorCode::Cancelled) {
    report(SessionEndKind::Disconnected, written.error().message);
  }
  return written && !end_;
}

net::Task<SessionEnd> SessionRun::finish() {
  // Whatever wakes it, a report, something from outside or the time, it looks at all of them: one
  // task for that, since each is memory that every idle session holds.
  while (const std::optional<MonotonicTime> next = watch()) {
    const Result<> woken = co_await context_.timers.wait_until(context_.interruption.event, *next);
    if (!woken) report(SessionEndKind::Disconnected, "session cancelled");
  }
  tasks.cancel();
  co_await tasks.join();
  co_return std::move(*end_);
}

/// Does what is due, and says when to look again at the latest; nullopt once the session has ended.
std::optional<MonotonicTime> SessionRun::watch() {
  if (context_.interruption.requested) {
    report(*std::exchange(context_.interruption.requested, std::nullopt));
  }
  if (end_) return std::nullopt;
  Watchdog::Decision decision =
      watchdog_.decide(context_.timers.now(), context_.timers.wall_now(), socket.last_received());
  if (decision.end) report(*std::move(decision.end));
  if (decision.ping) socket.ping();
  if (socket.is_lost()) report(SessionEndKind::Disconnected, "connection lost");
  if (end_) return std::nullopt;
  return decision.next;
}

}  // namespace sluice::session
