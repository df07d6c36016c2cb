// A clock that the tests of the log store set.
#pragma once

#include "base/clock.h"

namespace sluice::backend::local {

/// Starts at 2026-01-01T00:00:00Z.
class SetClock final : public Clock {
 public:
  MonotonicTime now() const override { return MonotonicTime(wall.time_since_epoch()); }
  WallTime wall_now() const override { return wall; }

  WallTime wall{seconds(1'767'225'600)};
};

}  // namespace sluice::backend::local
