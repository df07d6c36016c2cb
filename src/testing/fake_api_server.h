// FakeApiServer: an API server in memory, for tests of what speaks to one. A test says what each
// path answers: a whole response, a body that the test writes while the client reads, a WebSocket,
// or what a real server said; and looks at the requests that came. It knows no objects and no
// permissions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "backend/kubernetes/access/cluster_access.h"
#include "http/message.h"
#include "net/event_loop.h"
#include "net/task_group.h"
#include "testing/memory_pipe.h"
#include "testing/recording.h"
#include "testing/virtual_clock.h"
#include "ws/connection.h"

namespace sluice::testing {

/// A request as it came.
struct ApiCall {
  std::string method;
  std::string path;   // percent-encoded
  std::string query;  // percent-encoded, without '?'
  http::FieldMap fields;
  std::string body;
};

/// The chunked body of one 200 response, written by the test.
class FakeBody {
 public:
  /// Sends one chunk. What is written before the request came goes out with the head.
  void write(std::string_view bytes);
  /// The end of the body: the connection takes no further request.
  void end();
  /// The connection ends within the body.
  void cut();
  /// The request has come.
  bool is_open() const { return stream_ != nullptr; }
  /// The client has closed the connection.
  bool is_dropped();

 private:
  friend class FakeApiServer;
  void open(std::unique_ptr<net::Stream> stream);
  void send(std::string_view text);

  std::unique_ptr<net::Stream> stream_;
  std::string early_;
  bool cut_ = false;
};

/// The server's side of an upgraded connection.
struct FakeWebSocket {
  std::string subprotocol;                     // what the server chooses
  std::unique_ptr<ws::Connection> connection;  // null until the request came
};

/// No answer: the request is left waiting, or its connection closed.
enum class Silence { Hang, HangUp };

using ApiAnswer = std::variant<http::Response, std::shared_ptr<FakeBody>,
                               std::shared_ptr<FakeWebSocket>, Recording, Silence>;

/// On the test's loop; called by the test's body, which runs the loop.
class FakeApiServer {
 public:
  using Handler = std::function<ApiAnswer(const ApiCall&)>;

  FakeApiServer(net::EventLoop& loop, net::Timers& timers, Random& random);
  FakeApiServer(const FakeApiServer&) = delete;
  FakeApiServer& operator=(const FakeApiServer&) = delete;
  /// Ends its tasks; runs the loop for that.
  ~FakeApiServer();

  /// What requests for this path get from now on. Other paths: 404 with a Status object.
  void on(const std::string& path, Handler handler);
  void answer(const std::string& path, unsigned status, std::string body);
  /// The next requests for this path get a body of their own each; this is the first one's.
  std::shared_ptr<FakeBody> stream(const std::string& path);
  std::shared_ptr<FakeWebSocket> websocket(const std::string& path, std::string subprotocol);

  /// Oldest first.
  const std::vector<ApiCall>& calls() const { return calls_; }
  const ApiCall& last_call() const { return calls_.back(); }
  std::size_t connections_made() const { return pipes_.size(); }

  /// From now on, bytes come and go in pieces of at most this size.
  void set_fragment(std::size_t bytes) { options_.fragment = bytes; }
  /// Written to clients that have not read it.
  std::size_t bytes_under_way() const;
  /// Closes connections that wait for a request, as a server does that restarts.
  void close_idle_connections();
  /// The network breaks: every connection there is fails.
  void break_connections();

  std::unique_ptr<net::Stream> connect();

 private:
  net::Task<> serve(std::unique_ptr<net::Stream> stream);
  ApiAnswer answer_to(const ApiCall& call);
  net::Task<Result<>> perform(const ApiCall& call, ApiAnswer answer,
                              std::unique_ptr<net::Stream>& stream);
  net::Task<Result<>> replay(const ApiCall& call, Recording recording, net::Stream& stream);
  net::Task<Result<>> upgrade(const ApiCall& call, FakeWebSocket& socket,
                              std::unique_ptr<net::Stream>& stream);

  net::EventLoop& loop_;
  net::Timers& timers_;
  Random& random_;
  MemoryPipe::Options options_{.capacity = 64_MiB};
  std::map<std::string, Handler> handlers_;
  std::vector<ApiCall> calls_;
  std::vector<std::unique_ptr<MemoryPipe>> pipes_;
  net::TaskGroup tasks_;
};

/// The way to a FakeApiServer.
class FakeClusterAccess final : public backend::kubernetes::ClusterAccess {
 public:
  explicit FakeClusterAccess(FakeApiServer& server) : server_(server) {}

  net::Task<Result<backend::kubernetes::ApiConnection>> connect() override;
  /// The server is its own kubelet.
  net::Task<Result<backend::kubernetes::ApiConnection>> connect_node(std::string address) override;
  net::Task<Result<std::optional<std::string>>> authorization() override;
  void renew_credentials() override { ++renewals; }

  std::optional<std::string> token = "Bearer token";
  std::string path_prefix;
  std::optional<Error> failure;  // of connect(), as long as it is set
  int renewals = 0;

 private:
  FakeApiServer& server_;
};

}  // namespace sluice::testing
