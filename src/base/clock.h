// Time as a parameter. Pure code takes `now`; code that waits takes net::Timers; both come from
// main (the real clock is named in net/ and sluiced/ only) or from testing/virtual_clock.h.
#pragma once

#include <chrono>

namespace sluice {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// For deadlines and intervals: never jumps.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, nanoseconds>;
/// For what people and tokens mean by time (UTC): can jump.
using WallTime = std::chrono::sys_time<nanoseconds>;

/// As logs and metrics give durations.
inline double to_seconds(nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime now() const = 0;
  virtual WallTime wall_now() const = 0;
};

}  // namespace sluice
