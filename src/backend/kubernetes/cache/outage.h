// Outage: for how long, without a break, something has not worked.
#pragma once

#include <optional>

#include "base/clock.h"

namespace sluice::backend::kubernetes {

class Outage {
 public:
  /// It doesn't work now; for how long by then.
  nanoseconds go_on(MonotonicTime now) {
    if (!since_) since_ = now;
    return lasted(now);
  }
  /// 0: there is none.
  nanoseconds lasted(MonotonicTime now) const {
    return since_ ? now - *since_ : nanoseconds::zero();
  }
  void end() { since_.reset(); }

 private:
  std::optional<MonotonicTime> since_;
};

}  // namespace sluice::backend::kubernetes
