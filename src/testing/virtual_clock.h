// VirtualClock: time that moves only when a test says so. Everything that waits takes net::Timers,
// so pings, time-outs and expiry are tested in microseconds, in a fixed order. Model:
// tokio::time::advance.
#pragma once

#include <list>

#include "net/event.h"
#include "net/event_loop.h"
#include "net/timers.h"

namespace sluice::testing {

class VirtualClock final : public net::Timers {
 public:
  /// Wall time starts at 2026-01-01T00:00:00Z; monotonic time at one hour, so that tests may look
  /// back.
  explicit VirtualClock(net::EventLoop& loop);

  MonotonicTime now() const override { return now_; }
  WallTime wall_now() const override { return wall_now_; }
  /// Any number of tasks may sleep at the same time.
  net::Task<Result<>> sleep_until(MonotonicTime deadline) override;
  net::Task<Result<>> wait_until(net::Event& event, MonotonicTime deadline) override;

  /// Moves both clocks on by `duration`, stopping at each deadline on the way to run the loop until
  /// it is idle, and at the end: a task that sleeps again within `duration` is woken again. Called
  /// by a test's body, not by a task.
  void advance(nanoseconds duration);
  /// Moves the wall clock alone, either way: what NTP or an operator does.
  void jump_wall_clock(nanoseconds by) { wall_now_ += by; }

  /// How many tasks sleep now, or wait until a deadline.
  std::size_t sleeping() const { return sleepers_.size(); }

 private:
  struct Sleeper {
    MonotonicTime deadline;
    net::Event& due;  // of the task that waits
  };

  void move_to(MonotonicTime time);

  net::EventLoop& loop_;
  MonotonicTime now_;
  WallTime wall_now_;
  std::list<Sleeper> sleepers_;
};

}  // namespace sluice::testing
