#include "cli/cluster/cluster_api.h"

#include <fmt/format.h>

#include "http/status.h"
#include "net/current_executor.h"
#include "net/deadline.h"
#include "ws/client_upgrade.h"
#include "ws/handshake.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxBodyBytes = 64_MiB;

ErrorCode code_of(unsigned status, bool is_json) {
  switch (status) {
    case 400: return ErrorCode::InvalidArgument;
    case 401: return ErrorCode::Unauthenticated;
    case 403: return ErrorCode::PermissionDenied;
    case 404: return ErrorCode::NotFound;
    case 409: return ErrorCode::Conflict;
    // Both: the server is there, and may do it later.
    case 429:
    case 503: return ErrorCode::TooManySessions;
    // Of a proxy that doesn't reach the server.
    case 502:
    case 504: return ErrorCode::Unavailable;
    // A workload that doesn't exist is a 500 in plain text (contract section 3).
    case 500: return is_json ? ErrorCode::Internal : ErrorCode::WorkloadNotFound;
    default: return ErrorCode::Internal;
  }
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

bool is_passing(const Error& error) {
  return error.code == ErrorCode::Unavailable || error.code == ErrorCode::TooManySessions;
}

Error error_of(const http::Response& response) {
  const Result<json::value> body = json::parse(response.body);
  const json::object* object = body ? body->if_object() : nullptr;
  const bool is_json = object != nullptr;
  Error error{code_of(response.head.status, is_json), {}};
  if (is_json) {
    error.message = json::text_of(*object, "message");
    error.details = json::text_of(*object, "details");
  } else if (!response.head.fields.find("Content-Type").value_or("").contains("html")) {
    error.message = first_line(response.body);
  }
  if (error.message.empty()) {
    error.message = fmt::format("the server answered {} {}", response.head.status,
                                http::reason_phrase(response.head.status));
  }
  return error;
}

ClusterApi::ClusterApi(http::Url server, Connector& connector, Credentials& credentials,
                       net::Timers& timers, Random& random)
    : server_(std::move(server)),
      connector_(connector),
      credentials_(credentials),
      timers_(timers),
      random_(random) {}

net::Task<Result<StreamedResponse>> ClusterApi::send(std::string path, http::FieldMap fields) {
  CO_TRY(const std::string token, co_await credentials_.token());
  http::ClientRequest request{.target = server_.target + path};
  request.fields.add("Host", server_.authority);
  request.fields.add("User-Agent", "sluice");
  request.fields.add("Authorization", "Bearer " + token);
  for (const http::Field& field : fields) request.fields.add(field.name, field.value);
  CO_TRY(std::unique_ptr<net::Stream> stream,
         co_await connector_.connect(server_, Connector::Peer::Server));
  StreamedResponse response;
  response.connection = std::make_unique<http::ClientConnection>(std::move(stream));
  CO_TRY(response.head, co_await response.connection->send(std::move(request)));
  co_return response;
}

net::Task<Result<StreamedResponse>> ClusterApi::send_before_deadline(std::string path,
                                                                     http::FieldMap fields) {
  auto task = send(std::move(path), std::move(fields));
  Result<StreamedResponse> response =
      co_await net::before(timers_.now() + kPatience, timers_, std::move(task));
  if (!response && response.error().code == ErrorCode::Unavailable) {
    std::string& message = response.error().message;
    message = fmt::format("cannot reach {}: {}", server_.authority, message);
  }
  co_return response;
}

net::Task<Result<http::Response>> ClusterApi::get(std::string path) {
  http::FieldMap fields;
  fields.add("Accept", "application/json");
  CO_TRY(StreamedResponse streamed,
         co_await send_before_deadline(std::move(path), std::move(fields)));
  http::Response response{std::move(streamed.head), {}};
  CO_TRY(response.body, co_await streamed.connection->read_whole_body(kMaxBodyBytes));
  co_return response;
}

net::Task<Result<json::value>> ClusterApi::get_json(std::string path) {
  CO_TRY(const http::Response response, co_await get(std::move(path)));
  if (response.head.status != http::status::kOk) co_return fail(error_of(response));
  Result<json::value> body = json::parse(response.body);
  if (!body) {
    co_return fail(ErrorCode::Internal,
                   fmt::format("{} answers with something else than JSON: is it the cluster API?",
                               server_.authority));
  }
  co_return body;
}

net::Task<Result<json::object>> ClusterApi::get_object(std::string path) {
  CO_TRY(const json::value body, co_await get_json(std::move(path)));
  if (const json::object* object = body.if_object()) co_return *object;
  co_return fail(ErrorCode::Internal, "the server's answer is no JSON object");
}

net::Task<Result<StreamedResponse>> ClusterApi::get_stream(std::string path) {
  http::FieldMap fields;
  fields.add("Accept", "*/*");
  CO_TRY(StreamedResponse streamed,
         co_await send_before_deadline(std::move(path), std::move(fields)));
  if (streamed.head.status == http::status::kOk) co_return streamed;
  http::Response response{std::move(streamed.head), {}};
  CO_TRY(response.body, co_await streamed.connection->read_whole_body(kMaxBodyBytes));
  co_return fail(error_of(response));
}

net::Task<Result<WebSocket>> ClusterApi::open_websocket(
    std::string path, std::span<const std::string_view> subprotocols) {
  const std::string key = ws::make_key(random_);
  http::FieldMap fields;
  ws::add_upgrade(fields, key, subprotocols);
  CO_TRY(StreamedResponse answered,
         co_await send_before_deadline(std::move(path), std::move(fields)));
  if (answered.head.status != http::status::kSwitchingProtocols) {
    http::Response response{std::move(answered.head), {}};
    CO_TRY(response.body, co_await answered.connection->read_whole_body(kMaxBodyBytes));
    co_return fail(error_of(response));
  }
  WebSocket socket;
  CO_TRY(socket.subprotocol, ws::check_upgrade(answered.head, key, subprotocols));
  http::Upgraded left = answered.connection->upgrade();
  const net::Executor loop = co_await net::current_executor();
  const ws::Connection::Options options{.role = ws::Role::Client};
  socket.connection = std::make_unique<ws::Connection>(loop, std::move(left.stream), options,
                                                       timers_, random_, std::move(left.leftover));
  co_return socket;
}

}  // namespace sluice::cli
