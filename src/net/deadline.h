// Deadline: does something unless it is called off in time. For waits that know no time themselves:
// let it close the stream that they wait for.
#pragma once

#include <functional>

#include "net/task_group.h"
#include "net/timers.h"

namespace sluice::net {

/// The loop that the calling task runs on.
Task<Executor> current_executor();

class Deadline {
 public:
  /// Calls `expired` on the loop at `at`, once.
  Deadline(Executor executor, Timers& timers, MonotonicTime at, std::function<void()> expired);

  /// Calls it off; must be awaited before destruction. True when it had expired.
  Task<bool> end();

 private:
  Task<> run(Timers& timers, MonotonicTime at);

  TaskGroup group_;
  std::function<void()> callback_;
  bool expired_ = false;
};

}  // namespace sluice::net
