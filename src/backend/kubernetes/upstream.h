// Upstream: a session's WebSocket to the API server (exec, attach, port-forward) with what keeps it
// honest: pings and empty messages against idle cuts on the way, and an eye on the pod, since the
// API server may leave a stream open, frozen, when its pod is gone.
#pragma once

#include <memory>

#include "backend/kubernetes/cluster_cache.h"
#include "backend/kubernetes/loop_tasks.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "net/write_turns.h"
#include "ws/connection.h"

namespace sluice::backend::kubernetes {

class Upstream final {
 public:
  /// Load balancers cut what is silent for a minute or less.
  static constexpr nanoseconds kPingInterval = seconds(20);
  /// The API server and container runtimes end a stream without messages after 4 hours; pings
  /// don't count there.
  static constexpr nanoseconds kMessageInterval = std::chrono::hours(1);
  /// How long a process may live on in a pod that is gone before the session ends.
  static constexpr nanoseconds kGrace = seconds(1);

  /// On the loop of `executor`. References outlive it.
  Upstream(net::Executor executor, net::Timers& timers, std::unique_ptr<ws::Connection> socket,
           std::unique_ptr<PodWatch> pod);
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  /// Its one reader reads here.
  ws::Connection& socket() { return *socket_; }
  /// Sends one message, never fragmented: the API server takes a continuation for a new message.
  /// Callers take turns. Errors: Unavailable, Cancelled.
  net::Task<Result<>> send(Bytes message);
  /// The pod is gone, or on its way.
  bool is_pod_ending() const;
  bool is_pod_gone() const { return pod_->current() == nullptr; }

  /// Runs beside the session until end().
  net::TaskGroup tasks;

  /// Ends what runs and says goodbye, in a task that owns the upstream: for whoever lets go of it.
  static net::Task<> end(std::unique_ptr<Upstream> upstream);

 private:
  net::Task<> keep_alive();
  net::Task<> watch_pod();

  net::Timers& timers_;
  std::unique_ptr<ws::Connection> socket_;
  std::unique_ptr<PodWatch> pod_;
  net::WriteTurns turns_;
};

}  // namespace sluice::backend::kubernetes
