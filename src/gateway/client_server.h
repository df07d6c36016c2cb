// ClientServer: all client connections of one loop, from accept to their end. A connection is a
// loop of read a head → serve → respond until the client is done, or a session that one of its
// requests turned into.
#pragma once

#include <memory>

#include "gateway/connection_limit.h"
#include "gateway/exchange.h"
#include "gateway/services.h"
#include "gateway/session_registry.h"
#include "http/server_connection.h"
#include "net/task_group.h"

namespace sluice::gateway {

class ClientServer {
 public:
  /// `services` outlives it.
  ClientServer(net::Executor executor, const Services& services);

  /// Takes a connection that is ready for HTTP, and has its place until it has ended.
  void serve(std::unique_ptr<net::Stream> stream, ConnectionPlace place = {});
  /// Ends the sessions with 1001.
  void interrupt_sessions() { registry_.interrupt_all(); }
  /// Ends every connection, at once. Await it before destruction.
  net::Task<> stop();

 private:
  /// What follows on a request.
  struct Outcome {
    bool goes_on = false;  // the connection waits for the next request
    std::unique_ptr<UpgradedSession> session;
  };
  net::Task<> serve_client(std::unique_ptr<net::Stream> stream, Newcomer newcomer,
                           ConnectionPlace place);
  net::Task<std::unique_ptr<UpgradedSession>> serve_requests(std::unique_ptr<net::Stream> stream,
                                                             Newcomer newcomer);
  net::Task<Outcome> serve_request(http::ServerConnection& connection,
                                   const http::RequestHead& head);
  net::Task<Result<Answer>> route_and_serve(Exchange& exchange);
  net::Task<Outcome> run_watch(Exchange& exchange, std::unique_ptr<WorkloadWatch> watch);
  net::Task<Outcome> conclude(Exchange& exchange, Result<Answer> answer);
  void account(const Exchange& exchange, unsigned status, const Error* error);
  void audit_cut_off(const Exchange& exchange);
  net::Task<> refuse(http::ServerConnection& connection, const Error& error);
  net::Task<> keep_accounts();
  net::Task<> watch_wall_clock();

  const Services& services_;
  const Router router_;
  SessionRegistry registry_;
  net::Turns download_turns_;
  net::TaskGroup tasks_;
};

}  // namespace sluice::gateway
