#include "gateway/session_start.h"

#include <array>

#include "base/base64.h"
#include "gateway/record.h"
#include "gateway/session_end.h"
#include "net/current_executor.h"
#include "session/recorded_process.h"

namespace sluice::gateway {
namespace {

std::string make_session_id(Random& random) {
  std::array<std::byte, 8> bytes{};
  random.fill(bytes);
  return hex_encode(bytes);
}

/// The client never had it, but what the backend opened may have done its work.
net::Task<> end_without_client(const Services& services, UpgradedSession& session,
                               std::string reason) {
  session.source = {};
  SessionOutcome outcome;
  outcome.close_code = static_cast<unsigned>(ws::CloseCode::Abnormal);
  outcome.reason = std::move(reason);
  co_await finish_recording(session, outcome);
  services.metrics.session_started(session.subject.kind);
  record_session_end(services, session.subject, outcome);
}

}  // namespace

session::ProcessSessionOptions process_options(const StreamRequest& request,
                                               session::Framing framing) {
  session::ProcessSessionOptions options;
  options.framing = framing;
  options.empty_message = request.empty_message;
  options.streams = request.options;
  const bool both = options.streams.stdout && options.streams.stderr;
  options.streams.combine_output = both && framing == session::Framing::Raw;
  return options;
}

session::PortSessionOptions port_options(const PortForwardRequest& request,
                                         session::Framing framing) {
  session::PortSessionOptions options;
  options.framing = request.ports.size() > 1 ? session::Framing::ChannelsV4 : framing;
  options.empty_message = request.empty_message;
  return options;
}

net::Task<Result<std::vector<session::ForwardedPort>>> connect_ports(
    const Services& services, const auth::Caller& caller, const workload::ContainerRef& container,
    const std::vector<std::uint16_t>& ports) {
  std::vector<session::ForwardedPort> forwarded;
  for (const std::uint16_t port : ports) {
    auto stream = co_await services.backend.forward_port(caller, container, port);
    if (!stream && stream.error().code != ErrorCode::Unavailable) {
      co_return fail(std::move(stream).error());
    }
    forwarded.push_back({port, std::move(stream)});
  }
  co_return forwarded;
}

net::Task<Result<workload::ContainerRef>> resolve(const Services& services, Exchange& exchange,
                                                  const auth::Caller& caller,
                                                  const workload::WorkloadRef& workload,
                                                  const backend::Target& target) {
  CO_TRY(exchange.container, co_await services.backend.resolve(caller, workload, target));
  co_return *exchange.container;
}

SessionSubject subject_of(const Services& services, const Exchange& exchange, SessionKind kind) {
  SessionSubject subject;
  subject.id = make_session_id(services.random);
  subject.kind = kind;
  subject.user = exchange.user;
  subject.groups = exchange.groups;
  subject.peer = exchange.peer;
  if (exchange.container) subject.container = *exchange.container;
  subject.command = exchange.command;
  return subject;
}

std::unique_ptr<UpgradedSession> prepare(const Services& services, const Exchange& exchange,
                                         SessionKind kind, const auth::Caller& caller,
                                         SessionTicket ticket) {
  auto session = std::make_unique<UpgradedSession>();
  session->subject = subject_of(services, exchange, kind);
  session->token_expires_at = caller.expires_at;
  session->ticket = std::move(ticket);
  return session;
}

ProcessSource process_source(std::unique_ptr<backend::RemoteProcess> process,
                             const session::ProcessSessionOptions& options,
                             UpgradedSession& session) {
  if (session.recording) {
    process = std::make_unique<session::RecordedProcess>(std::move(process), *session.recording,
                                                         options.streams);
  }
  return {std::move(process), options};
}

net::Task<Result<Answer>> start_session(const Services& services, Exchange& exchange,
                                        const Upgrade& upgrade,
                                        std::unique_ptr<UpgradedSession> session) {
  session->busy.emplace(services.activity);
  // Nothing waits between the backend's answer and this: what runs is on record.
  audit_session_begin(services, session->subject);
  start_recording(*session);
  Upgrade agreed = upgrade;
  if (!services.settings.compression) agreed.deflate.reset();
  const http::ResponseHead head = switching_protocols(agreed);
  Result<http::Upgraded> upgraded = co_await exchange.connection.upgrade(head);
  if (!upgraded) {
    co_await end_without_client(services, *session, upgraded.error().message);
    co_return fail(std::move(upgraded).error());
  }
  const net::Executor executor = co_await net::current_executor();
  ws::Connection::Options options;
  options.role = ws::Role::Server;
  options.compression = agreed.deflate;
  options.max_message_bytes = services.settings.max_message_bytes;
  session->socket = std::make_unique<ws::Connection>(executor, std::move(upgraded->stream), options,
                                                     services.timers, services.random,
                                                     std::move(upgraded->leftover));
  co_return Answer(std::move(session));
}

}  // namespace sluice::gateway
