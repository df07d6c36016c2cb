// ClusterApi: the way to the server: requests with the caller's token, answers, upgrades. What the
// paths mean is for the commands.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/json.h"
#include "base/random.h"
#include "cli/cluster/connector.h"
#include "cli/cluster/credentials.h"
#include "http/client_connection.h"
#include "net/timers.h"
#include "ws/connection.h"

namespace sluice::cli {

/// An upgraded connection, and which subprotocol the server chose ("": none).
struct WebSocket {
  std::unique_ptr<ws::Connection> connection;
  std::string subprotocol;
};

/// No subprotocol: the session's bytes as they are.
inline constexpr std::span<const std::string_view> kRaw;

/// A response whose body is still to be read.
struct StreamedResponse {
  std::unique_ptr<http::ClientConnection> connection;
  http::ResponseHead head;
};

class ClusterApi {
 public:
  /// How long connecting, and the answer to a request, may take.
  static constexpr nanoseconds kPatience = seconds(20);

  /// All but the URL outlive it.
  ClusterApi(http::Url server, Connector& connector, Credentials& credentials, net::Timers& timers,
             Random& random);

  /// `path` is below the base path, with its query: "/status". Any status is a success here.
  /// Errors: Unavailable (no connection), Unauthenticated (no token), Cancelled.
  net::Task<Result<http::Response>> get(std::string path);
  /// The body of a 200. Errors: those of get(), and the server's, in its words.
  net::Task<Result<json::value>> get_json(std::string path);
  /// The same of an object. Errors: also Internal: it is none.
  net::Task<Result<json::object>> get_object(std::string path);
  /// The same without reading the body.
  net::Task<Result<StreamedResponse>> get_stream(std::string path);
  /// Errors: likewise.
  net::Task<Result<WebSocket>> open_websocket(std::string path,
                                              std::span<const std::string_view> subprotocols);

 private:
  net::Task<Result<StreamedResponse>> send(std::string path, http::FieldMap fields);
  net::Task<Result<StreamedResponse>> send_before_deadline(std::string path, http::FieldMap fields);

  http::Url server_;
  Connector& connector_;
  Credentials& credentials_;
  net::Timers& timers_;
  Random& random_;
};

/// Whether another attempt may succeed where this one failed.
bool is_passing(const Error& error);
/// How long to wait before it.
inline constexpr BackoffOptions kReconnecting{
    .base = milliseconds(300), .cap = seconds(10), .jitter = 0.5};

/// What the server says in a response that is no success.
Error error_of(const http::Response& response);

}  // namespace sluice::cli
