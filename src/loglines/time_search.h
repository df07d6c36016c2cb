// TimeSearch: from where on a CRI log's file has lines of some time or later, by halving: it says
// which part of the file it wants to see, and is shown that. Stamps don't go back within a run.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace sluice::loglines {

/// Whether the record that `text` begins with is older than `since`. False where it has no stamp.
bool begins_before(std::string_view text, WallTime since);

class TimeSearch {
 public:
  /// How much of the file it wants to see at once: more than a record has, mostly.
  static constexpr std::uint64_t kProbeBytes = 64 << 10;

  /// In a file of `size` bytes whose first record is older than `since`.
  TimeSearch(std::uint64_t size, WallTime since) : high_(size), since_(since) {}

  bool is_done() const { return high_ - low_ <= kProbeBytes; }
  /// Which part it wants to see, kProbeBytes from there or as many as the file has.
  std::uint64_t probe_at() const { return low_ + (high_ - low_) / 2; }
  void take(std::string_view probe);
  /// Where a record begins before which all are older.
  std::uint64_t begin() const { return low_; }

 private:
  std::uint64_t low_ = 0;
  std::uint64_t high_;
  WallTime since_;
};

}  // namespace sluice::loglines
