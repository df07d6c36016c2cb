// Event: one task tells another, on the same loop, that something changed. The waiter then looks at
// the state that both share; a notification that nobody waits for is remembered, so none is lost.
#pragma once

#include "net/steady_timer.h"
#include "net/task.h"

namespace sluice::net {

class Event {
 public:
  explicit Event(Executor executor);

  /// Wakes the waiter; with none waiting, the next wait() returns at once. Notifications coalesce.
  void notify();
  /// One waiter at a time. Completes after a notify(). Errors: Cancelled.
  Task<Result<>> wait();

 private:
  // A timer that never expires: Asio 1.81's public means of suspending until told.
  SteadyTimer never_;
  bool notified_ = false;
};

}  // namespace sluice::net
