#include "gateway/session_run.h"

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

void record(const Services& services, const UpgradedSession& session, const ws::Close& close,
            nanoseconds duration, std::uint64_t lines) {
  SessionRecord record;
  record.kind = session.kind;
  record.duration = duration;
  record.lines = lines;
  record.close_code = static_cast<unsigned>(close.code);
  services.metrics.session_ended(record);
  const workload::WorkloadRef& workload = session.container.workload;
  log(LogLevel::Info, "session ended",
      {{"verb", to_string(session.kind)},
       {"user", session.user},
       {"peer", session.peer},
       {"project", workload.project},
       {"type", workload::to_string(workload.type)},
       {"framework", workload::to_string(workload.framework)},
       {"workload", workload.name},
       {"pod", session.container.pod.name},
       {"container", session.container.container},
       {"seconds", std::chrono::duration<double>(duration).count()},
       {"received_bytes", session.socket->bytes_received()},
       {"sent_bytes", session.socket->bytes_sent()},
       {"lines", lines},
       {"close_code", record.close_code},
       {"reason", close.reason}});
}

}  // namespace

net::Task<> run_session(const Services& services, SessionRegistry& registry,
                        std::unique_ptr<UpgradedSession> session) {
  const MonotonicTime started = services.timers.now();
  const net::Executor executor = co_await net::current_executor();
  const SessionRegistry::Position entry =
      registry.add(executor, session->kind, session->socket.get());
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
  record(services, *session, final_close(end, close), services.timers.now() - started, stats.lines);
  registry.remove(entry);
}

}  // namespace sluice::gateway
