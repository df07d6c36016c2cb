// ClientServer: all client connections of one loop, from accept to their end. A connection is a loop of read
// a head → serve → respond until the client is done, or a session that one of its requests turned into.
#pragma once

#include <functional>
#include <memory>

#include "gateway/exchange.h"
#include "gateway/services.h"
#include "gateway/session_registry.h"
#include "http/server_connection.h"
#include "net/task_group.h"

namespace sluice::gateway {

class ClientServer {
 public:
  /// `services` outlives it. `idle` is called, on this loop, each time the last request or session ended.
  ClientServer(net::Executor executor, const Services& services, std::function<void()> idle);

  /// Takes a connection that is ready for HTTP.
  void serve(std::unique_ptr<net::Stream> stream);
  /// Whether a request or session is under way; connections that only wait for a request don't count.
  bool is_busy() const { return busy_ > 0; }
  /// Ends the sessions with 1001.
  void interrupt_sessions() { registry_.interrupt_all(); }
  /// Ends every connection, at once. Await it before destruction.
  net::Task<> stop();

 private:
  class Busy;
  /// What follows on a request.
  struct Outcome {
    bool goes_on = false;  // the connection waits for the next request
    std::unique_ptr<UpgradedSession> session;
  };
  net::Task<> serve_client(std::unique_ptr<net::Stream> stream);
  net::Task<std::unique_ptr<UpgradedSession>> serve_requests(std::unique_ptr<net::Stream> stream);
  net::Task<Outcome> serve_request(http::ServerConnection& connection,
                                   const http::RequestHead& head);
  net::Task<Result<Answer>> route_and_serve(Exchange& exchange);
  net::Task<Outcome> conclude(Exchange& exchange, Result<Answer> answer);
  net::Task<> refuse(http::ServerConnection& connection, const Error& error);
  net::Task<> count_bytes();

  const Services& services_;
  const Router router_;
  SessionRegistry registry_;
  std::function<void()> idle_;
  std::size_t busy_ = 0;
  net::TaskGroup tasks_;
};

}  // namespace sluice::gateway
