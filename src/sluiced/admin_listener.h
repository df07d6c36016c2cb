// AdminListener: what Worker is for clients, for the admin address: accepts and serves, on one loop
// only, in plaintext.
#pragma once

#include "gateway/admin_server.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/task_group.h"

namespace sluice::sluiced {

class AdminListener {
 public:
  AdminListener(net::EventLoop& loop, const gateway::Services& services, net::Listener listener);

  void start();
  net::Listener& listener() { return listener_; }
  net::Task<> stop_accepting();
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
