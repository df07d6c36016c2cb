#include "gateway/client_server.h"

#include "gateway/audit.h"
#include "gateway/error_response.h"
#include "gateway/serve.h"
#include "gateway/session_run.h"
#include "gateway/watch_run.h"
#include "http/status.h"
#include "net/yield.h"
#include "observe/log.h"
#include "session/clock_jump.h"

namespace sluice::gateway {
namespace {

constexpr nanoseconds kAccountInterval = seconds(5);

LogLevel level_of(unsigned status) {
  constexpr unsigned kFirstServerError = 500;
  constexpr unsigned kFirstClientError = 400;
  if (status >= kFirstServerError) return LogLevel::Warning;
  return status >= kFirstClientError ? LogLevel::Info : LogLevel::Debug;
}

/// The query stays out: it may hold a command or, wrongly, a token.
void log_access(const Exchange& exchange, unsigned status, nanoseconds latency,
                const Error* error) {
  const LogLevel level = level_of(status);
  if (!is_logged(level)) return;
  const std::string method = recorded_text(exchange.head.method);
  const std::string path = recorded_text(exchange.head.path);
  const std::string message = error == nullptr ? "" : recorded_text(error->message);
  std::vector<LogField> fields{{"method", method},      {"path", path},
                               {"status", status},      {"user", exchange.user},
                               {"peer", exchange.peer}, {"seconds", to_seconds(latency)}};
  if (error != nullptr) fields.emplace_back("message", message);
  if (error != nullptr && !error->cause.empty()) fields.emplace_back("cause", error->cause);
  log(level, "request", fields);
}

}  // namespace

ClientServer::ClientServer(net::Executor executor, const Services& services)
    : services_(services),
      router_(services.settings.base_path),
      registry_(services.metrics),
      download_turns_(executor, 1),
      tasks_(executor) {
  tasks_.spawn("keep accounts", keep_accounts());
  tasks_.spawn("watch the wall clock", watch_wall_clock());
}

void ClientServer::serve(std::unique_ptr<net::Stream> stream, ConnectionPlace place) {
  tasks_.spawn("client",
               serve_client(std::move(stream), Newcomer(services_.activity), std::move(place)));
}

net::Task<> ClientServer::stop() {
  tasks_.cancel();
  co_await tasks_.join();
  audit_unrecorded(services_);
}

net::Task<> ClientServer::keep_accounts() {
  while (true) {
    const Result<> passed = co_await services_.timers.sleep_for(kAccountInterval);
    if (!passed) co_return;
    registry_.count_bytes();
    audit_unrecorded(services_);
  }
}

net::Task<> ClientServer::watch_wall_clock() {
  net::Timers& timers = services_.timers;
  session::ClockJump jump(timers.now(), timers.wall_now());
  while (true) {
    const Result<> passed = co_await timers.sleep_for(session::ClockJump::kLookEvery);
    if (!passed) co_return;
    if (jump.look(timers.now(), timers.wall_now())) registry_.wall_clock_set();
  }
}

net::Task<> ClientServer::serve_client(std::unique_ptr<net::Stream> stream, Newcomer newcomer,
                                       [[maybe_unused]] ConnectionPlace place) {
  services_.metrics.connection_opened();
  std::unique_ptr<UpgradedSession> session =
      co_await serve_requests(std::move(stream), std::move(newcomer));
  if (session) co_await run_session(services_, registry_, std::move(session));
  services_.metrics.connection_closed();
}

net::Task<std::unique_ptr<UpgradedSession>> ClientServer::serve_requests(
    std::unique_ptr<net::Stream> stream, Newcomer newcomer) {
  http::ServerConnection connection(std::move(stream), services_.timers, services_.settings.http);
  while (true) {
    const Result<std::optional<http::RequestHead>> head = co_await connection.read_head();
    if (head && !*head) co_return nullptr;
    const Busy busy(services_.activity);
    newcomer.settle();
    if (!head) {
      co_await refuse(connection, head.error());
      co_return nullptr;
    }
    Outcome outcome = co_await serve_request(connection, **head);
    if (!outcome.goes_on) co_return std::move(outcome.session);
    // Whoever pipelines requests and reads the answers never has to be waited for.
    const Result<> yielded = co_await net::yield();
    if (!yielded) co_return nullptr;
  }
}

/// What came was no request: the connection ends with the answer, if there can be one.
net::Task<> ClientServer::refuse(http::ServerConnection& connection, const Error& error) {
  const bool gone = error.code == ErrorCode::Unavailable || error.code == ErrorCode::Cancelled;
  if (gone) co_return;
  const http::Response response = error_response(error, services_.settings.missing_workload);
  services_.metrics.request_served(Endpoint::Unknown, response.head.status, {});
  if (error.code == ErrorCode::HeaderTooLarge) services_.metrics.limit_reached(Limit::HeaderSize);
  if (error.code == ErrorCode::TooLarge) services_.metrics.limit_reached(Limit::BodySize);
  const std::string peer = connection.stream().peer();
  log(LogLevel::Info, "bad request", error, {{"peer", peer}});
  audit_bad_request(services_, peer, response.head.status, error);
  [[maybe_unused]] const Result<> sent = co_await connection.respond(response, false);
}

net::Task<ClientServer::Outcome> ClientServer::serve_request(http::ServerConnection& connection,
                                                             const http::RequestHead& head) {
  Exchange exchange{.connection = connection,
                    .head = head,
                    .download_turns = download_turns_,
                    .started = services_.timers.now(),
                    .peer = connection.stream().peer()};
  Result<Answer> answer = co_await route_and_serve(exchange);
  if (answer) {
    auto* const watch = std::get_if<std::unique_ptr<WorkloadWatch>>(&*answer);
    if (watch != nullptr) co_return co_await run_watch(exchange, std::move(*watch));
  }
  co_return co_await conclude(exchange, std::move(answer));
}

/// It is counted and logged as an answer when it begins, and as a session when it ends.
net::Task<ClientServer::Outcome> ClientServer::run_watch(Exchange& exchange,
                                                         std::unique_ptr<WorkloadWatch> watch) {
  account(exchange, http::status::kOk, nullptr);
  const bool is_whole =
      co_await run_workload_watch(services_, registry_, exchange, std::move(watch));
  Outcome outcome;
  outcome.goes_on = is_whole && keeps_alive(services_, exchange.head);
  co_return outcome;
}

net::Task<Result<Answer>> ClientServer::route_and_serve(Exchange& exchange) {
  CO_TRY(exchange.route, router_.match(exchange.head.method, exchange.head.path));
  co_return co_await gateway::serve(services_, exchange);
}

/// Sends what is not sent yet, and accounts for it.
net::Task<ClientServer::Outcome> ClientServer::conclude(Exchange& exchange, Result<Answer> answer) {
  Outcome outcome;
  outcome.goes_on = keeps_alive(services_, exchange.head);
  unsigned status = http::status::kOk;
  const http::Response* response = nullptr;
  http::Response refusal;
  const Error* error = nullptr;
  if (!answer) {
    error = &answer.error();
    if (error->code == ErrorCode::Cancelled) {
      audit_cut_off(exchange);
      co_return Outcome{};
    }
    refusal = error_response(*error, services_.settings.missing_workload);
    response = &refusal;
  } else if (auto* session = std::get_if<std::unique_ptr<UpgradedSession>>(&*answer)) {
    status = http::status::kSwitchingProtocols;
    outcome.goes_on = false;
    outcome.session = std::move(*session);
  } else if (const auto* streamed = std::get_if<Streamed>(&*answer)) {
    if (streamed->broke_off) error = &*streamed->broke_off;
    // A close against that promise could take the last of it from the client: what a client has
    // sent already, and we have not read, resets the connection (RFC 9293 3.10.7.4).
    outcome.goes_on = streamed->keeps_alive && error == nullptr;
  } else {
    response = &std::get<http::Response>(*answer);
  }
  if (response != nullptr) {
    status = response->head.status;
    const Result<> sent = co_await exchange.connection.respond(*response, outcome.goes_on);
    outcome.goes_on = outcome.goes_on && sent.has_value();
  }
  account(exchange, status, error);
  co_return outcome;
}

/// Counts, logs and audits the answer.
void ClientServer::account(const Exchange& exchange, unsigned status, const Error* error) {
  const nanoseconds latency = services_.timers.now() - exchange.started;
  services_.metrics.request_served(exchange.route.endpoint, status, latency);
  log_access(exchange, status, latency, error);
  audit_request(services_, exchange, status, latency, error);
}

/// The server ends before it has answered. What was asked for may have been done.
void ClientServer::audit_cut_off(const Exchange& exchange) {
  const Error ended{.code = ErrorCode::Cancelled, .message = "the server ended before it answered"};
  const nanoseconds waited = services_.timers.now() - exchange.started;
  audit_request(services_, exchange, std::nullopt, waited, &ended);
}

}  // namespace sluice::gateway
