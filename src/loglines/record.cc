#include "loglines/record.h"

#include "base/text.h"
#include "loglines/stamp.h"

namespace sluice::loglines {
namespace {

/// The longest stamp that is looked at: nanoseconds, offset, and more digits than anyone writes.
constexpr std::size_t kMaxStampBytes = 64;

bool is_stamp(std::string_view text) {
  if (is_fixed_stamp(text)) return true;
  return text.size() <= kMaxStampBytes && parse_rfc3339(text).has_value();
}

}  // namespace

Record parse_record(Format format, std::string_view record) {
  const Record unknown;
  const std::size_t stamp_end = record.substr(0, kMaxStampBytes + 1).find(' ');
  if (stamp_end == std::string_view::npos) return unknown;
  const std::string_view stamp = record.substr(0, stamp_end);
  if (!is_stamp(stamp)) return unknown;
  if (format == Format::Stamped) return {Channel::Stdout, Tag::Full, stamp, stamp_end + 1};

  const std::string_view rest = record.substr(stamp_end + 1);
  const bool is_stdout = rest.starts_with("stdout ");
  if (!is_stdout && !rest.starts_with("stderr ")) return unknown;
  const std::string_view tags = rest.substr(7);
  const std::size_t tags_end = tags.find(' ');
  if (tags_end == std::string_view::npos || tags_end == 0) return unknown;
  // As kubelet: the first of the tags, which ':' separates, tells a part; any other is a full line.
  const std::string_view first = tags.substr(0, tags.substr(0, tags_end).find(':'));
  Record parsed;
  parsed.channel = is_stdout ? Channel::Stdout : Channel::Stderr;
  parsed.tag = first.substr(0, tags_end) == "P" ? Tag::Partial : Tag::Full;
  parsed.stamp = stamp;
  parsed.text_offset = stamp_end + 1 + 7 + tags_end + 1;
  return parsed;
}

std::optional<WallTime> time_of(std::string_view stamp) { return parse_rfc3339(stamp); }

}  // namespace sluice::loglines
