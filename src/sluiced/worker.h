// Worker: what one event loop does for clients: accepts on its listeners, secures, serves.
// AdminListener is the same for the admin address, on one loop only.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "gateway/admin_server.h"
#include "gateway/client_server.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "net/tls_context.h"

namespace sluice::sluiced {

class Worker {
 public:
  /// `certificate` is null for plaintext.
  Worker(net::EventLoop& loop, const gateway::Services& services, net::TlsCertificate* certificate,
         std::vector<net::Listener> listeners);

  /// Begins to accept. On the loop's thread, or before it runs.
  void start();
  net::EventLoop& loop() { return loop_; }
  const std::vector<net::Listener>& listeners() const { return listeners_; }

  // The rest on the loop's thread.
  void interrupt_sessions() { clients_.interrupt_sessions(); }
  /// Ends everything, then calls `stopped`. Before destruction.
  void stop(std::function<void()> stopped);

 private:
  net::Task<> end(std::function<void()> stopped);
  net::Task<> accept(net::Listener& listener);
  net::Task<> secure(std::unique_ptr<net::TcpStream> stream);

  net::EventLoop& loop_;
  const gateway::Services& services_;
  net::TlsCertificate* certificate_;
  std::vector<net::Listener> listeners_;
  gateway::ClientServer clients_;
  net::TaskGroup tasks_;
  net::TaskGroup ending_;
};

class AdminListener {
 public:
  AdminListener(net::EventLoop& loop, const gateway::Services& services, net::Listener listener);

  void start();
  const net::ListenAddress& address() const { return listener_.address(); }
  /// Ends everything. Await it before destruction.
  net::Task<> stop();

 private:
  net::Task<> accept();

  net::Timers& timers_;
  net::Listener listener_;
  gateway::AdminServer server_;
  net::TaskGroup tasks_;
};

}  // namespace sluice::sluiced
