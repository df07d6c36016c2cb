#include "loglines/resume.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "loglines/lines_lost.h"
#include "loglines/record.h"
#include "loglines/stamp.h"

namespace sluice::loglines {
namespace {

constexpr std::size_t kHashedBytes = 1024;
constexpr std::size_t kMaxErrorBytes = 200;
/// Lines of stdout and stderr are stamped beside each other, so one may be stored behind a slightly
/// newer one.
constexpr seconds kDisorder(1);

std::size_t hash_of(std::string_view line) {
  return std::hash<std::string_view>()(line.substr(0, kHashedBytes));
}

std::string_view stamp_of(std::string_view line) {
  return parse_record(Format::Stamped, line).stamp;
}

bool is_newer(std::string_view stamp, std::string_view than) {
  if (is_fixed_stamp(stamp) && is_fixed_stamp(than)) return stamp > than;
  return time_of(stamp) > time_of(than);
}

/// Whether a cut left this of a line.
bool is_torn_stamp(std::string_view text) {
  return text.find_first_not_of("0123456789-:.+TZ") == std::string_view::npos;
}

}  // namespace

Resume::Resume(const Range& range) : since_(range.since), tail_lines_(range.tail_lines) {}

std::optional<WallTime> Resume::last_time() const {
  return last_ ? time_of(last_->stamp) : std::nullopt;
}

Resume::Reading Resume::next_reading() const {
  return tail_lines_ == 0U && !last_ && !is_behind_end_ ? Reading::Anchor : Reading::Follow;
}

std::string Resume::begin_body(Reading reading) {
  reading_ = reading;
  is_searching_ = last_.has_value();
  has_lines_ = false;
  has_news_ = false;
  equal_stamps_ = 0;
  line_ = Line::None;

  std::string query = "timestamps=true";
  if (reading == Reading::Follow) query += "&follow=true";
  begins_with_tail_ = reading == Reading::Anchor || (tail_lines_ && !last_ && !is_behind_end_);
  if (reading == Reading::Anchor) {
    query += "&tailLines=1";
  } else if (begins_with_tail_) {
    constexpr std::uint64_t kMaxLines = std::numeric_limits<std::int64_t>::max();
    query += fmt::format("&tailLines={}", std::min(*tail_lines_, kMaxLines));
  }
  std::optional<WallTime> since = since_;
  if (last_) since = time_of(last_->stamp).value_or(WallTime()) - kDisorder;
  begins_at_time_ = since && reading != Reading::Anchor;
  if (begins_at_time_) query += "&sinceTime=" + format_rfc3339(*since);
  return query;
}

Result<Resume::Taken> Resume::take(std::string_view bytes) {
  Taken taken;
  while (taken.size() < bytes.size()) {
    const std::string_view rest = bytes.substr(taken.size());
    const std::size_t newline = rest.find('\n');
    const bool ends = newline != std::string_view::npos;
    if (line_ == Line::None) {
      if (!ends && rest.size() < kLongLineBytes) break;
      const Result<> begun = begin_line(rest.substr(0, newline));
      if (!begun && taken.size() > 0) break;  // first what comes before the failure
      if (!begun) return fail(begun.error());
    }
    const std::size_t size = ends ? newline + 1 : rest.size();
    std::size_t skip = size;
    if (line_ == Line::New)
      skip = static_cast<std::size_t>(std::min<std::uint64_t>(left_to_skip_, size));
    if (skip > 0 && taken.take > 0) break;
    taken.skip += skip;
    taken.take += size - skip;
    if (line_ == Line::New) {
      left_to_skip_ -= skip;
      last_->bytes += size - skip;
      last_->ended = ends;
    }
    if (ends) line_ = Line::None;
  }
  hash_last_line();
  has_news_ = has_news_ || taken.take > 0;
  return taken;
}

Result<> Resume::note_empty_log() {
  if (is_searching_) return lose_lines();
  return {};
}

/// Decides what the line under way is; `line` is at least its beginning. An error changes nothing.
Result<> Resume::begin_line(std::string_view line) {
  const std::string_view stamp = stamp_of(line);
  if (!stamp.empty()) return begin_stamped_line(stamp, line);
  // A line in parts that began before the time asked for comes without its beginning, and stamp.
  const bool began_before = begins_at_time_ && (is_searching_ || !has_lines_);
  if (!began_before) return node_failed(line);
  line_ = Line::Old;
  return {};
}

Result<> Resume::begin_stamped_line(std::string_view stamp, std::string_view line) {
  if (is_searching_ && stamp != last_->stamp && is_newer(stamp, newest_stamp_)) {
    if (!last_->begins_tail) return lose_lines();
    is_searching_ = false;  // the last line had another stamp, as a part of a line
  }
  has_lines_ = true;
  left_to_skip_ = 0;
  if (is_searching_) {
    line_ = search(stamp, line);
  } else {
    note(stamp, line);
    line_ = reading_ == Reading::Anchor ? Line::Old : Line::New;
  }
  return {};
}

/// What a line is when the last one has not been found before it.
Resume::Line Resume::search(std::string_view stamp, std::string_view line) {
  if (stamp != last_->stamp) return Line::Old;
  // There may have been more of them where a tail began.
  if (++equal_stamps_ < last_->count || hash_of(line) != last_->hash) return Line::Old;
  is_searching_ = false;
  was_cut_ = false;
  last_->count = equal_stamps_;
  if (last_->ended) return Line::Old;
  left_to_skip_ = last_->bytes;
  return Line::New;
}

void Resume::note(std::string_view stamp, std::string_view line) {
  const bool is_first = !last_;
  if (is_first) last_ = Last();
  last_->count = last_->stamp == stamp ? last_->count + 1 : 1;
  last_->stamp = stamp;
  unhashed_ = line;
  last_->bytes = 0;
  last_->ended = reading_ == Reading::Anchor;
  last_->begins_tail = is_first && begins_with_tail_;
  was_cut_ = false;
  if (newest_stamp_.empty() || is_newer(stamp, newest_stamp_)) newest_stamp_ = stamp;
}

/// Of many lines only the last one's is wanted.
void Resume::hash_last_line() {
  if (!unhashed_.empty()) last_->hash = hash_of(std::exchange(unhashed_, {}));
}

Result<Resume::Taken> Resume::end_body(BodyEnd end, std::string_view rest) {
  Taken taken{.skip = rest.size()};
  const bool is_orderly = end == BodyEnd::Orderly;
  if (const std::string_view stamp = stamp_of(rest); !stamp.empty()) {
    if (reading_ == Reading::Anchor) note(stamp, rest);
    hash_last_line();
    if (reading_ != Reading::Anchor && !is_searching_) std::swap(taken.skip, taken.take);
  } else if (is_orderly && !is_torn_stamp(rest)) {
    return node_failed(rest);
  }
  if (is_orderly && reading_ == Reading::Anchor && !last_) is_behind_end_ = true;
  note_silent_follow();
  if (is_orderly && reading_ == Reading::Once && is_searching_ && was_cut_) return lose_lines();
  if (!is_orderly) was_cut_ = true;
  return taken;
}

/// A follow has ended. Where it brought no line, what comes next is new, all of it: of that a tail
/// could leave out some.
void Resume::note_silent_follow() {
  if (reading_ == Reading::Follow && !last_) is_behind_end_ = true;
}

std::unexpected<Error> Resume::node_failed(std::string_view text) {
  note_silent_follow();
  text = truncate_utf8(text.substr(0, text.find('\n')), kMaxErrorBytes);
  return fail(ErrorCode::Unavailable, fmt::format("the node can't read the log: {}", text));
}

std::unexpected<Error> Resume::lose_lines() {
  has_lost_lines_ = true;
  return lines_lost();
}

}  // namespace sluice::loglines
