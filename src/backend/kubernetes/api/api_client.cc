#include "backend/kubernetes/api/api_client.h"

#include "base/text.h"
#include "http/status.h"
#include "net/current_executor.h"
#include "net/deadline.h"
#include "ws/client_upgrade.h"
#include "ws/handshake.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr int kMaxPauses = 5;                      // after 429
constexpr std::size_t kMaxRefusalBytes = 256_KiB;  // of a Status object

bool is_success(unsigned status) { return status / 100 == 2; }

/// How long the server asks us to wait before the same request, if it does.
std::optional<nanoseconds> requested_pause(const http::ResponseHead& head) {
  if (head.status != http::status::kTooManyRequests) return std::nullopt;
  const auto number = parse_int64(head.fields.find("Retry-After").value_or(""));
  if (!number || *number < 0 || *number > 3600) return std::nullopt;
  return seconds(*number);
}

http::ClientRequest request_on(const PooledConnection& connection, const ApiRequest& request,
                               const http::FieldMap& fields) {
  http::ClientRequest whole{.method = request.method,
                            .target = connection.path_prefix + request.path,
                            .body = request.body};
  if (!request.query.empty()) whole.target += "?" + request.query;
  whole.fields.add("Host", connection.authority);
  for (const http::Field& field : fields) whole.fields.add(field.name, field.value);
  return whole;
}

/// All but Host, which is the connection's.
Result<http::FieldMap> fields_of(const ApiRequest& request,
                                 const std::optional<std::string>& authorization) {
  http::FieldMap fields;
  fields.add("User-Agent", "sluiced");
  fields.add("Accept", request.accept);
  if (authorization) fields.add("Authorization", *authorization);
  if (!request.body.empty()) fields.add("Content-Type", "application/json");
  if (request.as) TRY_VOID(add_impersonation(fields, *request.as));
  for (const http::Field& field : request.fields) fields.add(field.name, field.value);
  return fields;
}

/// Why there was no upgrade. A server that knows none of the subprotocols says 403 and nothing else
/// (golang.org/x/net/websocket); a permission that is missing comes with a Status object.
Error upgrade_error(const http::Response& response) {
  Error error = error_of(response);
  if (response.head.status == http::status::kForbidden && response.body.empty()) {
    error.code = ErrorCode::Unavailable;
    error.message = "the cluster's API server speaks none of the subprotocols that sluice does";
  }
  return error;
}

/// Which API server it was is for our log only.
Error unavailable(Error error, const std::string& authority) {
  if (error.code != ErrorCode::Unavailable) return error;
  error.cause = authority + ": " + error.message;
  error.message = "the cluster's API server does not answer: " + error.message;
  return error;
}

net::Task<Result<http::ResponseHead>> send(PooledConnection& connection, const ApiRequest& request,
                                           const http::FieldMap& fields) {
  http::ClientRequest whole = request_on(connection, request, fields);
  Result<http::ResponseHead> head = co_await connection.http.send(std::move(whole));
  if (!head) head = fail(unavailable(head.error(), connection.authority));
  co_return head;
}

}  // namespace

ApiStream::ApiStream(ConnectionPool& pool, net::Executor loop,
                     std::unique_ptr<PooledConnection> connection, http::ResponseHead head)
    : pool_(pool), loop_(loop), connection_(std::move(connection)), head_(std::move(head)) {}

net::Task<Result<Bytes>> ApiStream::read() {
  if (!connection_) co_return Bytes();
  Result<Bytes> bytes = co_await connection_->http.read_body();
  if (!bytes) co_return fail(unavailable(bytes.error(), connection_->authority));
  if (bytes->empty()) give_back();
  co_return bytes;
}

Result<Bytes> ApiStream::try_read() {
  if (!connection_) return Bytes();
  Result<Bytes> bytes = connection_->http.try_read_body();
  if (!bytes) return fail(unavailable(bytes.error(), connection_->authority));
  return bytes;
}

net::Task<Result<>> ApiStream::readable() {
  if (!connection_) co_return Result<>{};
  const Result<> ready = co_await connection_->http.body_readable();
  if (!ready) co_return fail(unavailable(ready.error(), connection_->authority));
  co_return Result<>{};
}

Result<std::optional<std::size_t>> ApiStream::try_read(MutableBytes into) {
  std::size_t total = 0;
  while (connection_ && total < into.size()) {
    const auto count = connection_->http.try_read_body(into.subspan(total));
    if (!count && total > 0) break;  // it fails again
    if (!count) return fail(unavailable(count.error(), connection_->authority));
    if (!*count && total == 0) return std::nullopt;
    if (!*count) break;
    if (**count == 0) give_back();
    total += **count;
  }
  return total;
}

void ApiStream::give_back() { pool_.give(loop_, std::move(connection_)); }

ApiClient::ApiClient(ClusterAccess& access, net::Timers& timers, Random& random,
                     std::size_t max_unanswered)
    : access_(access), timers_(timers), random_(random), pool_(timers), turns_(max_unanswered) {}

net::Task<Result<http::Response>> ApiClient::request(ApiRequest request) {
  CO_TRY(Answered answered, co_await exchange(std::move(request), Reuse::Yes));
  co_return co_await read_rest(std::move(answered), kMaxBodyBytes);
}

net::Task<Result<json::value>> ApiClient::get_json(ApiRequest request) {
  CO_TRY(const http::Response response, co_await this->request(std::move(request)));
  if (!is_success(response.head.status)) co_return fail(error_of(response));
  Result<json::value> parsed = json::parse(response.body, json::kDeep);
  if (!parsed) {
    Error error{ErrorCode::Unavailable, "the cluster's API server answered with broken JSON"};
    error.cause = parsed.error().message;
    co_return fail(std::move(error));
  }
  co_return parsed;
}

net::Task<Result<std::unique_ptr<ApiStream>>> ApiClient::stream(ApiRequest request) {
  CO_TRY(Answered answered, co_await exchange(std::move(request), Reuse::Yes));
  if (is_success(answered.head.status)) {
    const net::Executor loop = co_await net::current_executor();
    co_return std::make_unique<ApiStream>(pool_, loop, std::move(answered.connection),
                                          std::move(answered.head));
  }
  CO_TRY(const http::Response response, co_await read_rest(std::move(answered), kMaxRefusalBytes));
  co_return fail(error_of(response));
}

net::Task<Result<ApiWebSocket>> ApiClient::connect_websocket(
    ApiRequest request, std::span<const std::string_view> subprotocols) {
  request.accept = "*/*";  // a kubelet refuses to stream to who accepts JSON only
  const std::string key = ws::make_key(random_);
  ws::add_upgrade(request.fields, key, subprotocols);
  CO_TRY(Answered answered, co_await exchange(std::move(request), Reuse::No));
  if (answered.head.status != http::status::kSwitchingProtocols) {
    CO_TRY(const http::Response response,
           co_await read_rest(std::move(answered), kMaxRefusalBytes));
    co_return fail(upgrade_error(response));
  }
  ApiWebSocket upgraded;
  CO_TRY(upgraded.subprotocol, ws::check_upgrade(answered.head, key, subprotocols));
  http::Upgraded left = answered.connection->http.upgrade();
  const net::Executor loop = co_await net::current_executor();
  const ws::Connection::Options options{.role = ws::Role::Client};
  upgraded.socket = std::make_unique<ws::Connection>(loop, std::move(left.stream), options, timers_,
                                                     random_, std::move(left.leftover));
  co_return upgraded;
}

/// Sends the request until there is an answer that counts, and reads that answer's head.
net::Task<Result<ApiClient::Answered>> ApiClient::exchange(ApiRequest request, Reuse reuse) {
  const MonotonicTime deadline = timers_.now() + kPatience;
  auto task = exchange_before(deadline, std::move(request), reuse);
  Result<Answered> answered = co_await net::before(deadline, timers_, std::move(task));
  if (!answered && timers_.now() >= deadline && answered.error().code == ErrorCode::Unavailable) {
    answered = fail(ErrorCode::Unavailable, "the cluster's API server does not answer: timed out");
  }
  co_return answered;
}

net::Task<Result<ApiClient::Answered>> ApiClient::exchange_before(MonotonicTime deadline,
                                                                  ApiRequest request, Reuse reuse) {
  const net::Executor loop = co_await net::current_executor();
  bool refused = false;
  int pauses = 0;
  while (true) {
    CO_TRY(Answered answered, co_await attempt(request, reuse));
    if (answered.head.status == http::status::kUnauthorized && !refused) {
      refused = true;
      access_.renew_credentials();
      pool_.close(loop);
      continue;
    }
    const std::optional<nanoseconds> pause = requested_pause(answered.head);
    if (!pause || ++pauses > kMaxPauses || timers_.now() + *pause >= deadline) co_return answered;
    // Read to its end, the connection can be kept: a busy server is not helped by a new handshake.
    CO_TRY_VOID(co_await read_rest(std::move(answered), kMaxRefusalBytes));
    CO_TRY_VOID(co_await timers_.sleep_for(*pause));
  }
}

net::Task<Result<ApiClient::Answered>> ApiClient::attempt(const ApiRequest& request, Reuse reuse) {
  CO_TRY(const std::optional<std::string> authorization, co_await access_.authorization());
  CO_TRY(const http::FieldMap fields, fields_of(request, authorization));
  CO_TRY(const RequestTurns::Turn turn, co_await turns_.take());
  Answered answered;
  if (reuse == Reuse::Yes) {
    const net::Executor loop = co_await net::current_executor();
    answered.connection = pool_.take(loop);
  }
  if (answered.connection) {
    Result<http::ResponseHead> head = co_await send(*answered.connection, request, fields);
    // The server may have closed it as idle while the request was on its way.
    const bool stale = !head && head.error().code == ErrorCode::Unavailable &&
                       !answered.connection->http.was_answered() && request.method == "GET";
    if (!stale) {
      CO_TRY(answered.head, std::move(head));
      co_return answered;
    }
  }
  CO_TRY(answered.connection, co_await connect());
  CO_TRY(answered.head, co_await send(*answered.connection, request, fields));
  co_return answered;
}

net::Task<Result<std::unique_ptr<PooledConnection>>> ApiClient::connect() {
  CO_TRY(ApiConnection made, co_await access_.connect());
  co_return std::make_unique<PooledConnection>(std::move(made.stream), std::move(made.authority),
                                               std::move(made.path_prefix));
}

/// The whole of a response; its connection goes back to the pool.
net::Task<Result<http::Response>> ApiClient::read_rest(Answered answered, std::size_t limit_bytes) {
  PooledConnection& connection = *answered.connection;
  auto task = connection.http.read_whole_body(limit_bytes);
  const MonotonicTime deadline = timers_.now() + kBodyPatience;
  Result<std::string> body = co_await net::before(deadline, timers_, std::move(task));
  if (!body) co_return fail(unavailable(body.error(), connection.authority));
  const net::Executor loop = co_await net::current_executor();
  pool_.give(loop, std::move(answered.connection));
  http::Response response{std::move(answered.head), *std::move(body)};
  co_return response;
}

}  // namespace sluice::backend::kubernetes
