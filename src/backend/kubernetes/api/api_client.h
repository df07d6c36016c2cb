// ApiClient: our way to a cluster's API server: HTTPS with kept connections, credentials that are
// reloaded, Impersonate-* fields, retries where the server asks for them, and WebSockets for exec,
// attach and port-forward. It knows paths and bytes; what the objects mean is for the layers above.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "backend/kubernetes/access/cluster_access.h"
#include "backend/kubernetes/api/api_status.h"
#include "backend/kubernetes/api/connection_pool.h"
#include "backend/kubernetes/api/impersonation.h"
#include "backend/kubernetes/api/request_turns.h"
#include "base/json.h"
#include "base/random.h"
#include "net/timers.h"
#include "ws/connection.h"

namespace sluice::backend::kubernetes {

struct ApiRequest {
  std::string method = "GET";
  std::string path;   // percent-encoded: "/api/v1/namespaces/a/pods"
  std::string query;  // percent-encoded, without '?'
  std::string body;   // JSON; empty: none
  std::string accept = "application/json";
  http::FieldMap fields;  // others: Range
  std::optional<Impersonation> as;
};

/// The body of a successful response, as it arrives. Dropping it ends the request. Must not outlive
/// the client.
class ApiStream final {
 public:
  /// On the loop of `loop`.
  ApiStream(ConnectionPool& pool, net::Executor loop, std::unique_ptr<PooledConnection> connection,
            http::ResponseHead head);

  const http::ResponseHead& head() const { return head_; }
  /// The next bytes, valid until the next call; empty: the body has ended as it should.
  /// Errors: Unavailable (cut short), Cancelled.
  net::Task<Result<Bytes>> read();
  /// The same of what has been received already; empty: that is for read() to tell.
  Result<Bytes> try_read();

  /// The same without a copy, by who takes much at once (and only so): completes when
  /// try_read(into) may give more. Errors: Unavailable, Cancelled.
  net::Task<Result<>> readable();
  /// Fills `into` as far as there is something; 0: the body's end; nullopt: nothing now.
  /// Errors: Unavailable (cut short).
  Result<std::optional<std::size_t>> try_read(MutableBytes into);

 private:
  void give_back();

  ConnectionPool& pool_;
  net::Executor loop_;
  std::unique_ptr<PooledConnection> connection_;  // null: given back, at the end of the body
  http::ResponseHead head_;
};

/// An upgraded connection, and which subprotocol the server chose ("": none).
struct ApiWebSocket {
  std::unique_ptr<ws::Connection> socket;
  std::string subprotocol;
};

class ApiClient final {
 public:
  /// How long a request may take until its response's head is there: connecting, retries and all.
  static constexpr nanoseconds kPatience = seconds(30);
  /// How long the body of a request() or get_json() may take behind that.
  static constexpr nanoseconds kBodyPatience = seconds(60);
  static constexpr std::size_t kMaxBodyBytes = 64_MiB;
  /// For so long what is permitted may be denied: an API server that has just started denies all
  /// that it has yet to read the roles for. Who may wait asks again until then.
  static constexpr nanoseconds kDenialPatience = seconds(30);

  /// `access` says where the cluster is and who we are; all outlive the client. Any loop may use
  /// it; what it returns belongs to the calling loop. Of each loop's requests no more than
  /// `max_unanswered` are under way before their responses' heads are there; others wait.
  ApiClient(ClusterAccess& access, net::Timers& timers, Random& random,
            std::size_t max_unanswered = std::numeric_limits<std::size_t>::max());

  /// The whole response, whatever its status; 429 with Retry-After was retried, and 401 once with
  /// fresh credentials. Errors: Unavailable (no connection, time-out, malformed, larger than
  /// kMaxBodyBytes), InvalidArgument (an `as` that can't be sent), Cancelled.
  net::Task<Result<http::Response>> request(ApiRequest request);
  /// As request(), and the body parsed; a status other than 2xx is the Error that error_of() makes.
  net::Task<Result<json::value>> get_json(ApiRequest request);
  /// For watches and logs. Errors: as request(), and as error_of() maps the status.
  net::Task<Result<std::unique_ptr<ApiStream>>> stream(ApiRequest request);
  /// Offers the subprotocols in this order, on a connection of its own. Errors: as stream().
  net::Task<Result<ApiWebSocket>> connect_websocket(ApiRequest request,
                                                    std::span<const std::string_view> subprotocols);

  /// Closes the connections that the calling loop, `loop`, has kept for a while and not used. A
  /// loop that asks now and then does so by itself.
  void close_idle_connections(const net::Executor& loop) { pool_.close_idle(loop); }

 private:
  enum class Reuse { Yes, No };
  struct Answered {
    std::unique_ptr<PooledConnection> connection;
    http::ResponseHead head;
  };

  net::Task<Result<Answered>> exchange(ApiRequest request, Reuse reuse);
  net::Task<Result<Answered>> exchange_before(MonotonicTime deadline, ApiRequest request,
                                              Reuse reuse);
  net::Task<Result<Answered>> attempt(const ApiRequest& request, Reuse reuse);
  net::Task<Result<std::unique_ptr<PooledConnection>>> connect();
  net::Task<Result<http::Response>> read_rest(Answered answered, std::size_t limit_bytes);

  ClusterAccess& access_;
  net::Timers& timers_;
  Random& random_;
  ConnectionPool pool_;
  RequestTurns turns_;
};

}  // namespace sluice::backend::kubernetes
