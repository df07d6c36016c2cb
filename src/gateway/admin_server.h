// The admin listener's connections: /healthz, /readyz, /metrics. No token: it is for the machine's
// own network, and shows nothing of any workload.
#pragma once

#include <memory>

#include "gateway/services.h"
#include "http/server_connection.h"
#include "net/task_group.h"

namespace sluice::gateway {

class AdminServer {
 public:
  AdminServer(net::Executor executor, const Services& services)
      : services_(services), tasks_(executor) {}

  void serve(std::unique_ptr<net::Stream> stream);
  /// Ends every connection. Await it before destruction.
  net::Task<> stop();

 private:
  net::Task<> serve_client(std::unique_ptr<net::Stream> stream);
  http::Response answer(const http::RequestHead& head) const;

  const Services& services_;
  net::TaskGroup tasks_;
};

}  // namespace sluice::gateway
