#include "loglines/line_counter.h"

namespace sluice::loglines {
namespace {

/// More than what stands before a record's text.
constexpr std::size_t kHeaderBytes = 256;

}  // namespace

void LineCounter::feed(std::string_view block) {
  while (!block.empty() && !is_done()) {
    const std::size_t newline = block.find('\n');
    const bool ended = newline != std::string_view::npos;
    const std::string_view record = block.substr(0, newline);
    const std::size_t size = ended ? newline + 1 : record.size();
    bytes_ += size;
    block.remove_prefix(size);
    if (ended && header_.empty()) {
      take(record.substr(0, kHeaderBytes));
      continue;
    }
    if (header_.size() < kHeaderBytes) header_ += record.substr(0, kHeaderBytes - header_.size());
    if (!ended) break;
    take(header_);
    header_.clear();
  }
}

void LineCounter::take(std::string_view header) {
  const Record record = parse_record(Format::Cri, header);
  const std::size_t channel = index(record.channel);
  seen_[channel] = true;
  if (record.tag == Tag::Full) {
    under_way_[channel] = false;
    ended_[channel] = true;
    ++lines_;
    --lines_left_;
  } else if (!under_way_[channel]) {
    under_way_[channel] = true;
    began_at_[channel] = record_at_;
  }
  record_at_ = bytes_;
}

std::uint64_t LineCounter::next_line_at(std::size_t channel) const {
  return under_way_[channel] ? began_at_[channel] : record_at_;
}

}  // namespace sluice::loglines
