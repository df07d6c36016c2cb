#include "loglines/time_search.h"

#include "loglines/record.h"

namespace sluice::loglines {

bool begins_before(std::string_view text, WallTime since) {
  const Record record = parse_record(Format::Cri, text.substr(0, text.find('\n')));
  const std::optional<WallTime> time = time_of(record.stamp);
  return time && *time < since;
}

void TimeSearch::take(std::string_view probe) {
  const std::uint64_t middle = probe_at();
  const std::size_t newline = probe.find('\n');
  const std::uint64_t begin = middle + newline + 1;
  const bool is_within = newline != std::string_view::npos && begin < high_;
  if (is_within && begins_before(probe.substr(newline + 1), since_)) {
    low_ = begin;
  } else {
    high_ = middle;
  }
}

}  // namespace sluice::loglines
