#include "loglines/tail_finder.h"

#include <algorithm>
#include <utility>

namespace sluice::loglines {

TailFinder::TailFinder(std::uint64_t lines, LogEnd end)
    : lines_(lines), end_(end), found_(lines == 0) {}

std::size_t TailFinder::feed_backward(std::string_view block, bool begins_log) {
  std::string_view left = block;
  while (!left.empty() && !found_) {
    // The record's own '\n' is the last byte; a torn one at the end of the log has none.
    const std::string_view body = left.substr(0, left.size() - 1);
    const std::size_t before = body.rfind('\n');
    if (before == std::string_view::npos && !begins_log) break;
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::string_view record = body.substr(begin);
    const std::size_t size = left.size() - begin;
    done_bytes_ += size;
    take(parse_record(Format::Cri, record), done_bytes_);
    left.remove_suffix(size);
  }
  return block.size() - left.size();
}

void TailFinder::skip(std::size_t bytes) { done_bytes_ += bytes; }

void TailFinder::take_file(const LineCounter& whole) {
  const bool takes_all = lines_left() > 0;
  if (takes_all) counted_ += whole.lines();
  done_bytes_ += whole.bytes();
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    Line& line = channels_[channel];
    if (!whole.has_seen(channel) || (!takes_all && !line.counted)) continue;
    const bool begins_here = !takes_all && whole.has_ended(channel);
    start_.before_end[channel] = done_bytes_ - (begins_here ? whole.next_line_at(channel) : 0);
    line = {.seen = true, .counted = !begins_here};
  }
  if (takes_all && lines_left() == 0) counted_at_ = done_bytes_;
  if (!takes_all) find_end_of_search();
}

void TailFinder::begin_in_file(const LineCounter& skipped, const LineCounter& whole) {
  counted_ = lines_;
  done_bytes_ += whole.bytes();
  counted_at_ = done_bytes_;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    Line& line = channels_[channel];
    start_.before_end[channel] = done_bytes_ - skipped.next_line_at(channel);
    line.seen |= whole.has_seen(channel);
    // What it had before this file may belong to its first line in the tail.
    line.counted = line.seen && !skipped.has_ended(channel);
  }
  find_end_of_search();
}

/// All lines are counted: the search ends when their beginnings are known, too.
void TailFinder::find_end_of_search() {
  channels_[index(Channel::Unknown)].counted = false;  // it never has parts
  const bool complete = std::ranges::none_of(channels_, &Line::counted);
  found_ = complete || done_bytes_ - counted_at_ > kLookBackBytes;
}

void TailFinder::take(const Record& record, std::uint64_t before_end) {
  const std::size_t channel = index(record.channel);
  Line& line = channels_[channel];
  const bool is_first_seen = !std::exchange(line.seen, true);
  const bool ends_line = record.tag == Tag::Full || (is_first_seen && end_ == LogEnd::Final);
  if (ends_line) {
    line.counted = counted_ < lines_;
    if (line.counted) ++counted_;
  } else if (is_first_seen) {
    line.counted = true;  // the beginning of a line that is still to come
  }
  if (line.counted) start_.before_end[channel] = before_end;
  if (counted_ < lines_) return;
  if (counted_at_ == 0) counted_at_ = before_end;
  find_end_of_search();
}

}  // namespace sluice::loglines
