#include "gateway/session_run.h"

#include "gateway/record.h"
#include "gateway/session_end.h"
#include "net/current_executor.h"

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

}  // namespace

net::Task<> run_session(const Services& services, SessionRegistry& registry,
                        std::unique_ptr<UpgradedSession> session) {
  const MonotonicTime started = services.timers.now();
  const net::Executor executor = co_await net::current_executor();
  const SessionRegistry::Position entry =
      registry.add(executor, session->subject.kind, session->socket.get());
  watch_recording(*session, entry->interruption);
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
  if (last.code == ws::CloseCode::MessageTooBig &&
      end.kind == session::SessionEndKind::ProtocolError) {
    services.metrics.limit_reached(Limit::MessageSize);
  }
  SessionOutcome outcome;
  outcome.close_code = static_cast<unsigned>(last.code);
  outcome.reason = last.reason;
  outcome.exit_code = end.exit_code;
  outcome.duration = services.timers.now() - started;
  outcome.received_bytes = session->socket->bytes_received();
  outcome.sent_bytes = session->socket->bytes_sent();
  outcome.lines = stats.lines;
  co_await finish_recording(*session, outcome);
  record_session_end(services, session->subject, outcome);
  registry.remove(entry);
}

}  // namespace sluice::gateway
