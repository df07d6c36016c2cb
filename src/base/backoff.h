// Backoff: how long to wait before the next attempt: longer each time, up to a cap, and never the
// same for everyone. A value; who waits is the caller's.
#pragma once

#include "base/clock.h"
#include "base/random.h"

namespace sluice {

struct BackoffOptions {
  nanoseconds base = milliseconds(800);
  double factor = 2;
  nanoseconds cap = seconds(30);
  double jitter = 1;  // up to this part of a delay is added to it
};

class Backoff {
 public:
  explicit Backoff(BackoffOptions options = {}) : options_(options), delay_(options.base) {}

  /// How long to wait now; the next time is longer. At most cap × (1 + jitter).
  nanoseconds next(Random& random);
  /// After success: begins anew.
  void reset() { delay_ = options_.base; }

 private:
  BackoffOptions options_;
  nanoseconds delay_;
};

}  // namespace sluice
