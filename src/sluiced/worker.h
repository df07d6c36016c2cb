// Worker: what one event loop does for clients: accepts on its listeners, secures, serves.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "gateway/client_server.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "net/tls_context.h"

namespace sluice::sluiced {

class Worker {
 public:
  /// `certificate` is null for plaintext.
  Worker(net::EventLoop& loop, const gateway::Services& services,
         gateway::ConnectionLimit& connections, net::TlsCertificate* certificate,
         std::vector<net::Listener> listeners);

  net::EventLoop& loop() { return loop_; }
  std::vector<net::Listener>& listeners() { return listeners_; }

  // The rest on the loop's thread, or before it runs.
  void start();  // begins to accept
  /// Closes the listeners, then calls `stopped`.
  void stop_accepting(std::function<void()> stopped);
  void interrupt_sessions() { clients_.interrupt_sessions(); }
  /// Ends everything, then calls `stopped`. Before destruction.
  void stop(std::function<void()> stopped);

 private:
  net::Task<> end_accepting(std::function<void()> stopped);
  net::Task<> end(std::function<void()> stopped);
  net::Task<> accept(net::Listener& listener);
  net::Task<> secure(std::unique_ptr<net::TcpStream> stream, gateway::Newcomer newcomer,
                     gateway::ConnectionPlace place);

  net::EventLoop& loop_;
  const gateway::Services& services_;
  gateway::ConnectionLimit& connections_;
  net::TlsCertificate* certificate_;
  std::vector<net::Listener> listeners_;
  gateway::ClientServer clients_;
  net::TaskGroup accepting_;
  net::TaskGroup tasks_;
  net::TaskGroup ending_;
};

}  // namespace sluice::sluiced
