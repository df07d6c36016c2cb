// LineCounter: the lines of a CRI file that can be read only forward, because it is compressed:
// what TailFinder has to know of it. Counts what TailFinder counts: parts with their line, at its
// end.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "loglines/record.h"

namespace sluice::loglines {

class LineCounter {
 public:
  /// Counts until so many lines have ended.
  explicit LineCounter(std::uint64_t lines = std::numeric_limits<std::uint64_t>::max())
      : lines_left_(lines) {}

  /// The next bytes of the file.
  void feed(std::string_view block);
  /// All lines that it should count have ended.
  bool is_done() const { return lines_left_ == 0; }

  std::uint64_t lines() const { return lines_; }
  /// Counted: behind the record that ended the last line, or, if it isn't done, of the whole file.
  std::uint64_t bytes() const { return bytes_; }
  bool has_seen(std::size_t channel) const { return seen_[channel]; }
  bool has_ended(std::size_t channel) const { return ended_[channel]; }  // a line
  /// Where the line begins that is under way there, or will begin.
  std::uint64_t next_line_at(std::size_t channel) const;

 private:
  void take(std::string_view header);

  std::uint64_t lines_left_;
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t record_at_ = 0;
  std::string header_;  // of a record whose end has not been seen
  std::array<bool, kChannels> seen_{};
  std::array<bool, kChannels> ended_{};
  std::array<bool, kChannels> under_way_{};
  std::array<std::uint64_t, kChannels> began_at_{};
};

}  // namespace sluice::loglines
