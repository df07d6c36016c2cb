#include "gateway/watch_run.h"

#include <utility>

#include "gateway/error_response.h"
#include "gateway/session_end.h"
#include "gateway/session_start.h"
#include "gateway/workload_events.h"
#include "net/current_executor.h"
#include "net/deadline.h"
#include "session/watchdog.h"

namespace sluice::gateway {
namespace {

using session::SessionEnd;
using session::SessionEndKind;

/// The first change is told at once, the next ones together after this long.
constexpr nanoseconds kTellInterval = milliseconds(200);
/// How long a client may take, at the end, for what is on its way to it.
constexpr nanoseconds kEndPatience = seconds(1);

class WatchRun final {
 public:
  WatchRun(const Services& services, Exchange& exchange, WorkloadWatch& watch,
           SessionRegistry::Entry& entry, net::Executor executor)
      : services_(services),
        connection_(exchange.connection),
        watch_(watch),
        interruption_(entry.interruption),
        executor_(executor),
        wake_(executor),
        sender_(executor),
        observers_(executor) {}

  /// Runs it; whether the body has come to its end.
  net::Task<bool> run(bool keep_alive);
  const SessionEnd& end() const { return *end_; }
  std::uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  net::Task<> send_events();
  net::Task<Result<std::string>> next_lines();
  net::Task<> observe_changes();
  net::Task<> observe_client();
  net::Task<> supervise();
  net::Task<> stop_tasks();
  net::Task<Result<>> finish();
  net::Task<Result<>> write(std::string lines);
  bool can_be_told() const;
  void report(SessionEndKind kind, Error error);

  const Services& services_;
  http::ServerConnection& connection_;
  WorkloadWatch& watch_;
  session::Interruption& interruption_;
  net::Executor executor_;
  WorkloadEvents events_;
  net::Event wake_;  // the sender's
  bool changed_ = false;
  bool heartbeat_due_ = false;
  bool is_broken_ = false;  // a write failed or was cancelled: no more may follow
  std::optional<MonotonicTime> writing_since_;
  std::uint64_t sent_bytes_ = 0;
  std::optional<SessionEnd> end_;
  Error error_;  // what the last line says
  net::TaskGroup sender_;
  net::TaskGroup observers_;
};

net::Task<bool> WatchRun::run(bool keep_alive) {
  http::ResponseHead head;
  head.fields.add("Content-Type", "application/x-ndjson");
  head.fields.add("Cache-Control", "no-store");
  const Result<> begun = co_await connection_.start_chunks(head, keep_alive);
  if (!begun) {
    is_broken_ = true;
    report(SessionEndKind::Disconnected, begun.error());
  } else {
    sender_.spawn("watch sender", send_events());
    observers_.spawn("watch changes", observe_changes());
    observers_.spawn("watch client", observe_client());
  }
  co_await supervise();
  co_await stop_tasks();
  const Result<> finished = co_await finish();
  if (!finished) connection_.abort();
  co_return finished.has_value();
}

net::Task<> WatchRun::send_events() {
  std::string lines = events_.take(select(std::exchange(watch_.first, {}), watch_.request));
  while (!end_) {
    if (!lines.empty()) {
      const Result<> written = co_await write(std::exchange(lines, {}));
      if (!written) co_return report(SessionEndKind::Disconnected, written.error());
      const Result<> slept = co_await services_.timers.sleep_for(kTellInterval);
      if (!slept) co_return;
    }
    while (!changed_ && !heartbeat_due_ && !end_) {
      const Result<> woken = co_await wake_.wait();
      if (!woken) co_return;
    }
    Result<std::string> next = co_await next_lines();
    if (!next) co_return report(SessionEndKind::UpstreamFailed, next.error());
    lines = *std::move(next);
  }
}

/// Errors: what ends the watch.
net::Task<Result<std::string>> WatchRun::next_lines() {
  std::string lines;
  if (std::exchange(changed_, false)) {
    auto workloads = co_await services_.backend.list_workloads(watch_.caller, watch_.project);
    // What is not known for a while is not gone: the next change tells.
    if (!workloads && workloads.error().code != ErrorCode::Unavailable) {
      co_return fail(std::move(workloads).error());
    }
    if (workloads) lines = events_.take(select(*std::move(workloads), watch_.request));
  }
  if (std::exchange(heartbeat_due_, false) && lines.empty()) lines = heartbeat_event();
  co_return lines;
}

net::Task<Result<>> WatchRun::write(std::string lines) {
  writing_since_ = services_.timers.now();
  is_broken_ = true;
  const Bytes bytes = as_bytes(lines);
  CO_TRY_VOID(co_await connection_.write_chunk(bytes));
  is_broken_ = false;
  writing_since_.reset();
  sent_bytes_ += lines.size();
  services_.metrics.session_bytes(SessionKind::Watch, 0, lines.size());
  co_return Result<>{};
}

net::Task<> WatchRun::observe_changes() {
  while (true) {
    const Result<> changed = co_await watch_.changes->changed();
    if (!changed) co_return;
    changed_ = true;
    wake_.notify();
  }
}

net::Task<> WatchRun::observe_client() {
  const Result<> ended = co_await connection_.peer_ended();
  if (ended) report(SessionEndKind::Disconnected, Error{.message = "the client has gone"});
}

/// Until something has ended the watch.
net::Task<> WatchRun::supervise() {
  net::Timers& timers = services_.timers;
  const session::SessionContext context{executor_,
                                        timers,
                                        interruption_,
                                        services_.settings.ping_interval,
                                        services_.settings.idle_timeout,
                                        watch_.caller.expires_at,
                                        nullptr};
  session::Watchdog watchdog(context, timers.now());
  while (!end_) {
    if (interruption_.requested) {
      report(SessionEndKind::ShuttingDown,
             Error{.code = ErrorCode::Unavailable, .message = interruption_.requested->reason});
      break;
    }
    // A client that takes what it is sent is alive; it has nothing to say.
    const MonotonicTime last_progress = writing_since_.value_or(timers.now());
    const auto decision = watchdog.decide(timers.now(), timers.wall_now(), last_progress);
    if (decision.end) {
      report(decision.end->kind,
             Error{.code = ErrorCode::Unauthenticated, .message = decision.end->reason});
      break;
    }
    if (decision.ping) {
      heartbeat_due_ = true;
      wake_.notify();
    }
    const Result<> woken = co_await timers.wait_until(interruption_.event, decision.next);
    if (!woken) report(SessionEndKind::Disconnected, woken.error());
  }
}

/// What is on its way to the client gets there, unless the client takes too long.
net::Task<> WatchRun::stop_tasks() {
  observers_.cancel();
  co_await observers_.join();
  if (!writing_since_ || !can_be_told()) sender_.cancel();
  wake_.notify();
  const MonotonicTime limit = services_.timers.now() + kEndPatience;
  net::Deadline deadline(executor_, services_.timers, limit, [this] { sender_.cancel(); });
  co_await sender_.join();
  (void)co_await deadline.end();
}

/// The last line and the end of the body. Errors: they can't be sent.
net::Task<Result<>> WatchRun::finish() {
  if (is_broken_ || !can_be_told()) co_return fail(error_);
  const unsigned code = status_of(error_.code, services_.settings.missing_workload);
  const MonotonicTime limit = services_.timers.now() + kEndPatience;
  std::string line = end_event(code, error_.message);
  net::Task<Result<>> last_line = write(std::move(line));
  CO_TRY_VOID(co_await net::before(limit, services_.timers, std::move(last_line)));
  net::Task<Result<>> last_chunk = connection_.finish_chunks();
  co_return co_await net::before(limit, services_.timers, std::move(last_chunk));
}

/// Once it has ended: the client is there to take the reason.
bool WatchRun::can_be_told() const {
  return end_->kind != SessionEndKind::Disconnected && end_->kind != SessionEndKind::IdleTimeout;
}

/// The first to say so wins.
void WatchRun::report(SessionEndKind kind, Error error) {
  if (end_) return;
  end_ = SessionEnd{kind, error.message, {}};
  error_ = std::move(error);
  interruption_.event.notify();
}

SessionOutcome outcome_of(const WatchRun& run, nanoseconds duration) {
  const std::optional<ws::Close> close = session::close_for(run.end());
  SessionOutcome outcome;
  outcome.close_code = static_cast<unsigned>(close ? close->code : ws::CloseCode::Abnormal);
  outcome.reason = run.end().reason;
  outcome.duration = duration;
  outcome.sent_bytes = run.sent_bytes();
  return outcome;
}

}  // namespace

net::Task<bool> run_workload_watch(const Services& services, SessionRegistry& registry,
                                   Exchange& exchange, std::unique_ptr<WorkloadWatch> watch) {
  const MonotonicTime started = services.timers.now();
  const net::Executor executor = co_await net::current_executor();
  const SessionRegistry::Position entry = registry.add(executor, SessionKind::Watch, nullptr);
  SessionSubject subject = subject_of(services, exchange, SessionKind::Watch);
  subject.container.workload.project = watch->project;
  audit_session_begin(services, subject);
  const bool keep_alive = keeps_alive(services, exchange.head);
  bool is_whole = false;
  {
    WatchRun run(services, exchange, *watch, *entry, executor);
    is_whole = co_await run.run(keep_alive);
    const SessionOutcome outcome = outcome_of(run, services.timers.now() - started);
    record_session_end(services, subject, outcome);
  }
  registry.remove(entry);
  co_return is_whole;
}

}  // namespace sluice::gateway
