// ClockJump: notices that the wall clock was set, by NTP, an operator, or a machine that slept.
// Pure arithmetic. Sleeps are by the monotonic clock, so what a session planned by wall time (the
// expiry of its token) must be planned again then: see watchdog.h for the smaller steps that it
// bears by itself.
#pragma once

#include "base/clock.h"

namespace sluice::session {

class ClockJump final {
 public:
  /// Look this often, and a session ends within a second of its token's expiry by the new time.
  static constexpr nanoseconds kLookEvery = milliseconds(500);

  ClockJump(MonotonicTime now, WallTime wall_now) : offset_(offset_of(now, wall_now)) {}

  /// True when the wall clock was set since the last look that said so.
  bool look(MonotonicTime now, WallTime wall_now) {
    constexpr nanoseconds kSmallest = seconds(10);
    const nanoseconds offset = offset_of(now, wall_now);
    if (std::chrono::abs(offset - offset_) < kSmallest) return false;
    offset_ = offset;
    return true;
  }

 private:
  static nanoseconds offset_of(MonotonicTime now, WallTime wall_now) {
    return wall_now.time_since_epoch() - now.time_since_epoch();
  }

  nanoseconds offset_;
};

}  // namespace sluice::session
