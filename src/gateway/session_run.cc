#include "gateway/session_run.h"

#include "gateway/audit.h"
#include "net/deadline.h"
#include "observe/log.h"

namespace sluice::gateway {
namespace {

/// How long a client may take to answer our Close with its own.
constexpr nanoseconds kClosePatience = seconds(2);

net::Task<session::SessionEnd> run_source(session::SessionContext context,
                                          UpgradedSession& upgraded) {
  ws::Connection& socket = *upgraded.socket;
  if (auto* log = std::get_if<std::unique_ptr<backend::LogStream>>(&upgraded.source)) {
    return session::run_log_session(context, socket, **log);
  }
  if (auto* process = std::get_if<ProcessSource>(&upgraded.source)) {
    return session::run_process_session(context, socket, *process->process, process->options);
  }
  PortSource& ports = std::get<PortSource>(upgraded.source);
  return session::run_port_session(context, socket, std::move(ports.ports), ports.options);
}

/// What the log and the metrics call the end: the Close that was sent, or what came instead of one.
ws::Close final_close(const session::SessionEnd& end, const std::optional<ws::Close>& sent) {
  if (sent) return *sent;
  ws::Close close;
  close.code = ws::CloseCode::Abnormal;
  close.reason = end.reason.empty() ? "connection lost" : end.reason;
  return close;
}

void record(const Services& services, const SessionSubject& subject, const SessionOutcome& outcome,
            std::uint64_t lines) {
  SessionRecord record;
  record.kind = subject.kind;
  record.duration = outcome.duration;
  record.lines = lines;
  record.close_code = outcome.close_code;
  services.metrics.session_ended(record);
  const workload::WorkloadRef& workload = subject.container.workload;
  log(LogLevel::Info, "session ended",
      {{"verb", to_string(subject.kind)},
       {"user", subject.user},
       {"peer", subject.peer},
       {"project", workload.project},
       {"type", workload::to_string(workload.type)},
       {"framework", workload::to_string(workload.framework)},
       {"workload", workload.name},
       {"pod", subject.container.pod.name},
       {"container", subject.container.container},
       {"seconds", std::chrono::duration<double>(outcome.duration).count()},
       {"received_bytes", outcome.received_bytes},
       {"sent_bytes", outcome.sent_bytes},
       {"lines", lines},
       {"close_code", outcome.close_code},
       {"reason", outcome.reason}});
}

}  // namespace

net::Task<> run_session(const Services& services, SessionRegistry& registry,
                        std::unique_ptr<UpgradedSession> session) {
  const MonotonicTime started = services.timers.now();
  const net::Executor executor = co_await net::current_executor();
  const SessionRegistry::Position entry =
      registry.add(executor, session->subject.kind, session->socket.get());
  const std::string id = audit_session_begin(services, session->subject);
  session::SessionStats stats;
  const session::SessionContext context{executor,
                                        services.timers,
                                        entry->interruption,
                                        services.settings.ping_interval,
                                        services.settings.idle_timeout,
                                        session->token_expires_at,
                                        &stats};
  const session::SessionEnd end = co_await run_source(context, *session);
  session->source = {};  // the upstream ends now, not only when the client has answered the Close
  const std::optional<ws::Close> close = session::close_for(end);
  if (close) {
    co_await session->socket->close(*close, kClosePatience);
  } else {
    session->socket->abort();
  }
  const ws::Close last = final_close(end, close);
  SessionOutcome outcome;
  outcome.close_code = static_cast<unsigned>(last.code);
  outcome.reason = last.reason;
  outcome.exit_code = end.exit_code;
  outcome.duration = services.timers.now() - started;
  outcome.received_bytes = session->socket->bytes_received();
  outcome.sent_bytes = session->socket->bytes_sent();
  record(services, session->subject, outcome, stats.lines);
  audit_session_end(services, id, session->subject, outcome);
  registry.remove(entry);
}

}  // namespace sluice::gateway
