#include "observe/record_quota.h"

#include <utility>

namespace sluice {

bool RecordQuota::take(const Clock& clock) {
  const MonotonicTime now = clock.now();
  const std::lock_guard lock(mutex_);
  if (bucket_.wait(limit_, now) <= nanoseconds(0)) {
    bucket_.take(limit_, now);
    return true;
  }
  unrecorded_.last = clock.wall_now();
  if (unrecorded_.count == 0) unrecorded_.first = unrecorded_.last;
  ++unrecorded_.count;
  return false;
}

std::optional<RecordQuota::Unrecorded> RecordQuota::take_unrecorded() {
  const std::lock_guard lock(mutex_);
  if (unrecorded_.count == 0) return std::nullopt;
  return std::exchange(unrecorded_, {});
}

}  // namespace sluice
