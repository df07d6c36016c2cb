// RecordQuota: how many records may be caused by those whom nobody knows, so that they can't push
// the others' out of a trail that is rotated; and how many were kept out of it. Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/token_bucket.h"

namespace sluice {

class RecordQuota {
 public:
  /// Kept out: so many, from the first to the last.
  struct Unrecorded {
    std::uint64_t count = 0;
    WallTime first{};
    WallTime last{};
  };

  explicit RecordQuota(RateLimit limit) : limit_(limit) {}

  /// Whether one more may be made; one that may not is counted.
  bool take(const Clock& clock);
  /// What was kept out since this was last asked; nullopt: nothing.
  std::optional<Unrecorded> take_unrecorded();

 private:
  const RateLimit limit_;
  std::mutex mutex_;
  TokenBucket bucket_;
  Unrecorded unrecorded_;
};

}  // namespace sluice
