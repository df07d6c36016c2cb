#include "base/token_bucket.h"

#include <algorithm>

namespace sluice {
namespace {

nanoseconds interval(const RateLimit& limit) {
  return nanoseconds(seconds(1)) / static_cast<nanoseconds::rep>(limit.per_second);
}

}  // namespace

nanoseconds TokenBucket::wait(const RateLimit& limit, MonotonicTime now) const {
  const nanoseconds missing = std::max(full_at_, now) - now;
  const nanoseconds room = interval(limit) * static_cast<nanoseconds::rep>(limit.burst - 1);
  return std::max(missing - room, nanoseconds(0));
}

void TokenBucket::take(const RateLimit& limit, MonotonicTime now) {
  full_at_ = std::max(full_at_, now) + interval(limit);
}

}  // namespace sluice
