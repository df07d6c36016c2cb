// WorkerGroup: the workers of all loops, told together from one of them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "net/event.h"
#include "net/event_loop.h"
#include "sluiced/worker.h"

namespace sluice::sluiced {

class WorkerGroup {
 public:
  /// The rest is called on `loop`, or before it runs. It outlives the group.
  explicit WorkerGroup(net::EventLoop& loop);

  void add(std::unique_ptr<Worker> worker);
  /// Each begins to accept, as soon as its loop runs.
  void start();
  /// The listeners' descriptors.
  std::vector<int> sockets() const;

  // While all loops run. One task at a time.
  /// Completes when every listener is closed.
  net::Task<> stop_accepting();
  void interrupt_sessions();
  /// Completes when all has ended. Before destruction.
  net::Task<> stop();

 private:
  net::Task<> on_each(void (Worker::*work)(std::function<void()> done));

  net::EventLoop& loop_;
  std::vector<std::unique_ptr<Worker>> workers_;
  net::Event done_;
  std::size_t busy_ = 0;
};

}  // namespace sluice::sluiced
