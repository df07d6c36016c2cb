// What tests of the log store set: a clock, and how much space is left on the disk.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"

namespace sluice::backend::local {

/// Starts at 2026-01-01T00:00:00Z.
class SetClock final : public Clock {
 public:
  MonotonicTime now() const override { return MonotonicTime(wall.time_since_epoch()); }
  WallTime wall_now() const override { return wall; }

  WallTime wall{seconds(1'767'225'600)};
};

/// Bytes that write_to_small_disk() still takes.
inline std::size_t disk_space = 0;

/// A LogSettings::pwrite.
inline ssize_t write_to_small_disk(int fd, const void* data, std::size_t size, off_t offset) {
  if (disk_space == 0) {
    errno = ENOSPC;
    return -1;
  }
  const std::size_t count = std::min(size, disk_space);
  disk_space -= count;
  return ::pwrite(fd, data, count, offset);
}

}  // namespace sluice::backend::local
