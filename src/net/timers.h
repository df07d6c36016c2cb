// Timers: a clock that one can sleep by. SystemTimers is the real one; testing/virtual_clock.h the
// other.
#pragma once

#include "base/clock.h"
#include "net/event.h"
#include "net/task.h"

namespace sluice::net {

class Timers : public Clock {
 public:
  /// Completes at or after `deadline`. Errors: Cancelled.
  virtual Task<Result<>> sleep_until(MonotonicTime deadline) = 0;
  /// Completes after a notify(), as Event::wait() does, or at `deadline`: the waiter looks which.
  /// For a task that works on a schedule and is told things meanwhile. Errors: Cancelled.
  virtual Task<Result<>> wait_until(Event& event, MonotonicTime deadline) = 0;

  Task<Result<>> sleep_for(nanoseconds duration) { return sleep_until(now() + duration); }
};

/// The machine's clocks. Stateless, so every loop can share one; sleeps run on the caller's loop.
class SystemTimers final : public Timers {
 public:
  MonotonicTime now() const override;
  WallTime wall_now() const override;
  Task<Result<>> sleep_until(MonotonicTime deadline) override;
  Task<Result<>> wait_until(Event& event, MonotonicTime deadline) override;
};

}  // namespace sluice::net
