// Event: one task tells another, on the same loop, that something changed. The waiter then looks at
// the state that both share; a notification that nobody waits for is remembered, so none is lost.
#pragma once

#include "base/clock.h"
#include "net/steady_timer.h"
#include "net/task.h"

namespace sluice::net {

class Event {
 public:
  explicit Event(Executor executor);

  /// Wakes the waiter; with none waiting, the next wait() returns at once. Notifications coalesce.
  void notify();
  /// One waiter at a time. Completes after a notify(). Errors: Cancelled. With a deadline:
  /// Timers::wait_until().
  Task<Result<>> wait() { return wait_until(MonotonicTime::max()); }

 private:
  friend class SystemTimers;
  Task<Result<>> wait_until(MonotonicTime deadline);

  // Asio 1.81's public means of suspending until told is a timer; without a deadline, it never
  // expires.
  SteadyTimer timer_;
  bool notified_ = false;
};

}  // namespace sluice::net
