// TailFinder: where the last lines of a CRI log begin, from blocks of it that are read backwards,
// across files as if they were one. Parts count with their line, per channel, so that the tail is
// what Reader would have yielded last. (Text without an end that is not at the end of the log,
// because the other channel's lines follow it, counts where it stands.)
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "loglines/line_counter.h"
#include "loglines/record.h"

namespace sluice::loglines {

enum class LogEnd { Open, Final };  // Final: text without an end is a line, too

class TailFinder {
 public:
  /// How far before the last counted line the first part of a line is looked for.
  static constexpr std::uint64_t kLookBackBytes = 4 << 20;

  /// Where the tail begins, in bytes before the end of the log, for each channel: records of it
  /// that begin earlier are not part of the tail.
  struct Start {
    std::array<std::uint64_t, kChannels> before_end{};
    std::uint64_t first() const { return std::ranges::max(before_end); }
    /// For a Reader that begins at first().
    std::array<std::uint64_t, kChannels> skip_bytes() const {
      return {first() - before_end[0], first() - before_end[1], first() - before_end[2]};
    }
  };

  TailFinder(std::uint64_t lines, LogEnd end);

  /// Takes the records of a block that ends where the unread part of the log ends. Returns how many
  /// bytes at its end it is done with: the next block ends before them. 0: a record is longer than
  /// the block; offer a longer one, or skip() it.
  std::size_t feed_backward(std::string_view block, bool begins_log);
  /// Bytes at the end of the unread part that belong to a record too long to look at.
  void skip(std::size_t bytes);

  /// Lines that are still to be found; 0: only the beginnings of those that were.
  std::uint64_t lines_left() const { return lines_ - counted_; }
  /// Takes a whole file that was counted forward. It has no more lines than are left, or none are.
  void take_file(const LineCounter& whole);
  /// Takes a file that has more lines than are left: the tail begins behind those skipped.
  void begin_in_file(const LineCounter& skipped, const LineCounter& whole);

  /// The tail has been found; feed no more. When the log's begin comes first, it begins there.
  bool found() const { return found_; }
  Start start() const { return start_; }

 private:
  struct Line {
    bool seen = false;     // any record of the channel
    bool counted = false;  // the line that the next earlier P would belong to is in the tail
  };
  void take(const Record& record, std::uint64_t before_end);
  void find_end_of_search();

  std::uint64_t lines_;
  LogEnd end_;
  std::uint64_t counted_ = 0;
  std::uint64_t counted_at_ = 0;  // before the end, where the last line was counted
  std::uint64_t done_bytes_ = 0;
  std::array<Line, kChannels> channels_;
  Start start_;
  bool found_;
};

}  // namespace sluice::loglines
