// TokenBucket: so many at once, then so many a second. A value whose time comes in; whose rate it
// is, the caller knows, so a bucket for each of many users is one number.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace sluice {

struct RateLimit {
  std::size_t per_second = 1;  // at least 1, as is the burst; at most 10,000,000
  std::size_t burst = 1;       // how many after a pause
};

class TokenBucket {
 public:
  /// How long until there is a token; 0: now.
  nanoseconds wait(const RateLimit& limit, MonotonicTime now) const;
  /// Takes the one that wait() said is there.
  void take(const RateLimit& limit, MonotonicTime now);
  /// As if nothing had ever been taken.
  bool is_full(MonotonicTime now) const { return full_at_ <= now; }

 private:
  // Each token that was taken moves it on by the time that one more takes to come (ITU-T I.371,
  // virtual scheduling).
  MonotonicTime full_at_ = MonotonicTime::min();
};

}  // namespace sluice
