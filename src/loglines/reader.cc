#include "loglines/reader.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <string>

#include "base/text.h"

namespace sluice::loglines {
namespace {

constexpr std::size_t kCriTextOffset = 40;  // after the fixed stamp, " stdout F "
constexpr std::uint8_t kAllChannels = (1 << kChannels) - 1;

constexpr std::uint8_t bit(std::size_t channel) { return static_cast<std::uint8_t>(1U << channel); }

}  // namespace

class Reader::Output {
 public:
  explicit Output(std::span<Piece> into)
      : first_(into.data()), at_(first_), end_(at_ + into.size()) {}

  void add(const char* text, std::size_t size, bool ends_line) {
    *at_++ = {std::string_view(text, size), ends_line};
  }
  bool full() const { return at_ == end_; }
  bool has_room_for_record() const { return end_ - at_ >= static_cast<std::ptrdiff_t>(kMinPieces); }
  std::size_t size() const { return static_cast<std::size_t>(at_ - first_); }

 private:
  Piece* first_;
  Piece* at_;
  Piece* end_;
};

/// The lines that are not in one piece in the block, and what outlives it.
struct Reader::Joining {
  struct Line {
    bool begun = false;
    bool dropped = false;    // by `since`
    bool streaming = false;  // pieces of it have come out
    std::vector<char> text;  // as sent, so far
  };
  std::array<Line, kChannels> lines;
  std::optional<std::size_t> streaming;    // the channel of the line that is
  std::vector<char> held;                  // whole lines that wait for the end of that one
  std::size_t held_taken = 0;              // of them, bytes that have come out
  std::optional<Record> unended;           // a record whose '\n' has not been seen
  std::vector<std::vector<char>> yielded;  // what the last pieces point to
};

Reader::Reader(const ReaderOptions& options)
    : format_(options.format),
      timestamps_(options.timestamps),
      has_since_(options.since.has_value()),
      remaining_(options.limit_bytes.value_or(std::numeric_limits<std::uint64_t>::max())),
      skip_bytes_(options.skip_bytes) {
  if (has_since_) {
    since_ = *options.since;
    const std::string text = format_rfc3339_nano(since_);
    std::ranges::copy_n(text.begin(), kStampBytes, since_text_.begin());
  }
  limit_reached_ = remaining_ == 0;
  update_slow_channels();
}

Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Reader::Progress Reader::feed(std::span<char> block, std::span<Piece> into) {
  assert(into.size() >= kMinPieces);
  Output out(into);
  char* at = block.data();
  char* const end = at + block.size();
  if (joining_) joining_->yielded.clear();
  if (yield_held(out)) {
    while (at != end && out.has_room_for_record() && !limit_reached_) {
      char* const before = at;
      at = dispatch_plain_lines(at, end, out);
      fed_ += static_cast<std::uint64_t>(at - before);
      if (at == end || !out.has_room_for_record() || limit_reached_) break;
      char* const next = read_record(at, end, out);
      if (next == nullptr) break;
      fed_ += static_cast<std::uint64_t>(next - at);
      at = next;
      update_slow_channels();
      if (!yield_held(out)) break;
    }
  }
  if (limit_reached_) at = end;
  return {static_cast<std::size_t>(at - block.data()), out.size()};
}

Reader::Progress Reader::finish(std::span<char> rest, std::span<Piece> into) {
  assert(into.size() >= kMinPieces);
  Output out(into);
  if (joining_) joining_->yielded.clear();
  std::size_t consumed = 0;
  if (!limit_reached_ && yield_held(out) && out.has_room_for_record() && !rest.empty()) {
    const std::string_view text(rest.data(), rest.size());
    Record record = joining().unended ? *joining_->unended : parse_record(format_, text);
    if (joining_->unended) record.text_offset = 0;
    record.tag = Tag::Partial;
    take(record, text.substr(record.text_offset), out);
    consumed = rest.size();
  }
  if (limit_reached_) return {rest.size(), out.size()};
  if (!joining_ || consumed != rest.size()) return {consumed, out.size()};
  if (joining_->streaming) end_streaming(out);
  if (!yield_held(out)) return {consumed, out.size()};
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    if (!out.has_room_for_record()) break;
    Joining::Line& line = joining_->lines[channel];
    if (!line.dropped && !line.text.empty()) yield_stored(line.text, out);
    line = {};
  }
  joining_->unended.reset();
  update_slow_channels();
  return {consumed, out.size()};
}

/// Lines that are whole in the block, in the common format, and wait for nothing. Returns where the
/// first other record begins.
template <Format kFormat, Timestamps kTimestamps, bool kSince>
char* Reader::read_plain_lines(char* at, char* const end, Output& out) {
  constexpr bool kCri = kFormat == Format::Cri;
  constexpr std::size_t kTextOffset = kCri ? kCriTextOffset : kStampBytes + 1;
  constexpr auto kMinRecord = static_cast<std::ptrdiff_t>(kTextOffset + 1);
  const std::uint64_t stdout_word = detail::load8("stdout F");
  const std::uint64_t stderr_word = detail::load8("stderr F");
  const std::uint8_t slow_channels = slow_channels_;
  std::uint64_t remaining = remaining_;

  while (end - at >= kMinRecord && !out.full()) {
    if (!is_fixed_stamp(at) || at[kStampBytes] != ' ') break;
    if constexpr (kCri) {
      const std::uint64_t word = detail::load8(at + kStampBytes + 1);
      if ((word != stdout_word && word != stderr_word) || at[kTextOffset - 1] != ' ') break;
      if ((slow_channels & (word == stdout_word ? 1 : 2)) != 0) break;
    } else {
      if (slow_channels != 0) break;
    }
    char* text = at + kTextOffset;
    auto* const newline =
        static_cast<char*>(std::memchr(text, '\n', static_cast<std::size_t>(end - text)));
    if (newline == nullptr) break;
    if constexpr (kSince) {
      last_was_dropped_ = std::memcmp(at, since_text_.data(), kStampBytes) < 0;
      if (last_was_dropped_) {
        at = newline + 1;
        continue;
      }
    }
    if constexpr (kTimestamps == Timestamps::Keep) text -= kStampBytes + 1;
    const auto size = static_cast<std::size_t>(newline + 1 - text);
    if (size >= remaining) break;
    if constexpr (kTimestamps == Timestamps::Keep && kCri) std::memmove(text, at, kStampBytes);
    remaining -= size;
    out.add(text, size, true);
    at = newline + 1;
  }
  remaining_ = remaining;
  return at;
}

char* Reader::dispatch_plain_lines(char* at, char* end, Output& out) {
  constexpr auto kKeep = Timestamps::Keep;
  constexpr auto kStrip = Timestamps::Strip;
  const bool keep = timestamps_ == kKeep;
  if (slow_channels_ == kAllChannels) return at;
  if (format_ == Format::Cri) {
    if (has_since_) {
      return keep ? read_plain_lines<Format::Cri, kKeep, true>(at, end, out)
                  : read_plain_lines<Format::Cri, kStrip, true>(at, end, out);
    }
    return keep ? read_plain_lines<Format::Cri, kKeep, false>(at, end, out)
                : read_plain_lines<Format::Cri, kStrip, false>(at, end, out);
  }
  if (has_since_) {
    return keep ? read_plain_lines<Format::Stamped, kKeep, true>(at, end, out)
                : read_plain_lines<Format::Stamped, kStrip, true>(at, end, out);
  }
  return keep ? read_plain_lines<Format::Stamped, kKeep, false>(at, end, out)
              : read_plain_lines<Format::Stamped, kStrip, false>(at, end, out);
}

/// One record of any kind. Null: it is incomplete.
char* Reader::read_record(char* at, char* end, Output& out) {
  if (joining_ && joining_->unended) return continue_record(at, end, out);
  const auto available = static_cast<std::size_t>(end - at);
  auto* const newline = static_cast<char*>(std::memchr(at, '\n', available));
  if (newline == nullptr && available < kLongRecordBytes) return nullptr;

  const std::size_t size = newline == nullptr ? available : static_cast<std::size_t>(newline - at);
  const Record record = parse_record(format_, {at, size});
  const std::string_view text(at + record.text_offset, size - record.text_offset);
  if (newline == nullptr) {
    Record part = record;
    part.tag = Tag::Partial;
    take(part, text, out);
    joining().unended = record;
    joining_->unended->stamp = {};  // it points into the block
    return end;
  }
  take(record, text, out);
  return newline + 1;
}

char* Reader::continue_record(char* at, char* end, Output& out) {
  const auto available = static_cast<std::size_t>(end - at);
  auto* const newline = static_cast<char*>(std::memchr(at, '\n', available));
  Record record = *joining_->unended;
  if (newline == nullptr) {
    record.tag = Tag::Partial;
    take(record, {at, available}, out);
    return end;
  }
  joining_->unended.reset();
  take(record, {at, static_cast<std::size_t>(newline - at)}, out);
  return newline + 1;
}

/// A record's text, or more of it. Where a full line ends, text.end() is its '\n'.
void Reader::take(const Record& record, std::string_view text, Output& out) {
  const std::size_t channel = index(record.channel);
  const bool begun = joining_ && joining_->lines[channel].begun;
  if (!begun) {
    const bool dropped = fed_ < skip_bytes_[channel] || is_before_since(record);
    if (record.tag == Tag::Full) {
      if (!dropped) take_line(record, text, out);
      return;
    }
    begin_line(record);
    joining_->lines[channel].dropped = dropped;
  }
  if (record.tag == Tag::Partial) return add_text(channel, text, out);
  end_line(channel, {text.data(), text.size() + 1}, out);
}

/// A line in one record, with all that the fast path does not do.
void Reader::take_line(const Record& record, std::string_view text, Output& out) {
  const std::string_view line = stamped(record, {text.data(), text.size() + 1});
  if (joining_ && joining_->streaming) {
    hold(line, out);
  } else {
    yield(line, true, out);
  }
}

void Reader::begin_line(const Record& record) {
  Joining::Line& line = joining().lines[index(record.channel)];
  line.begun = true;
  const std::string_view stamp = stamped(record, {});
  line.text.assign(stamp.begin(), stamp.end());
}

void Reader::add_text(std::size_t channel, std::string_view text, Output& out) {
  Joining::Line& line = joining_->lines[channel];
  if (line.dropped) return;
  if (line.streaming) {
    if (!text.empty()) yield(text, false, out);
    return;
  }
  line.text.insert(line.text.end(), text.begin(), text.end());
  if (line.text.size() <= kMaxLineBytes) return;
  // Of two such lines, one comes out until the other needs its memory.
  if (joining_->streaming) return end_streaming(out);
  joining_->streaming = channel;
  line.streaming = true;
  const std::string_view stored(line.text.data(), line.text.size());
  joining_->yielded.push_back(std::move(line.text));
  line.text = {};
  yield(stored, false, out);
}

void Reader::end_line(std::size_t channel, std::string_view text, Output& out) {
  Joining::Line& line = joining_->lines[channel];
  if (line.streaming) {
    yield(text, true, out);
    joining_->streaming.reset();
  } else if (!line.dropped) {
    line.text.insert(line.text.end(), text.begin(), text.end());
    if (joining_->streaming) {
      hold({line.text.data(), line.text.size()}, out);
    } else {
      yield_stored(line.text, out);
    }
  }
  line = {};
}

/// A whole line, until the one that streams has ended.
void Reader::hold(std::string_view line, Output& out) {
  joining_->held.insert(joining_->held.end(), line.begin(), line.end());
  if (joining_->held.size() > kMaxLineBytes) end_streaming(out);
}

/// The line that streams has no more pieces; what it still gets is a line of its own.
void Reader::end_streaming(Output& out) {
  yield({}, true, out);
  joining_->lines[*joining_->streaming].streaming = false;
  joining_->streaming.reset();
}

void Reader::yield(std::string_view text, bool ends_line, Output& out) {
  if (limit_reached_) return;
  if (text.size() >= remaining_) {
    text = text.substr(0, static_cast<std::size_t>(remaining_));
    ends_line = true;
    limit_reached_ = true;
  }
  remaining_ -= text.size();
  out.add(text.data(), text.size(), ends_line);
}

void Reader::yield_stored(std::vector<char>& text, Output& out) {
  joining_->yielded.push_back(std::move(text));
  text = {};
  const std::vector<char>& stored = joining_->yielded.back();
  yield({stored.data(), stored.size()}, true, out);
}

/// The lines that waited, as far as there is room. False: some are left.
bool Reader::yield_held(Output& out) {
  if (!joining_ || joining_->streaming || joining_->held.empty()) return true;
  Joining& joined = *joining_;
  while (joined.held_taken < joined.held.size()) {
    if (out.full()) return false;
    const char* const begin = joined.held.data() + joined.held_taken;
    const std::size_t left = joined.held.size() - joined.held_taken;
    const auto* const newline = static_cast<const char*>(std::memchr(begin, '\n', left));
    const std::size_t size =
        newline == nullptr ? left : static_cast<std::size_t>(newline + 1 - begin);
    yield({begin, size}, true, out);
    joined.held_taken += size;
    if (limit_reached_) break;
  }
  joined.yielded.push_back(std::move(joined.held));
  joined.held = {};
  joined.held_taken = 0;
  update_slow_channels();
  return true;
}

/// `text`, which stands behind the record's header in the block, with the stamp in front if it is
/// kept.
std::string_view Reader::stamped(const Record& record, std::string_view text) {
  if (timestamps_ == Timestamps::Strip || record.stamp.empty()) return text;
  const bool fixed = is_fixed_stamp(record.stamp);
  const auto time = fixed ? std::nullopt : time_of(record.stamp);
  std::string stamp = time ? format_rfc3339_nano(*time) : std::string(record.stamp);
  stamp += ' ';
  std::vector<char> line;
  line.reserve(stamp.size() + text.size());
  line.insert(line.end(), stamp.begin(), stamp.end());
  line.insert(line.end(), text.begin(), text.end());
  joining().yielded.push_back(std::move(line));
  const std::vector<char>& stored = joining_->yielded.back();
  return {stored.data(), stored.size()};
}

bool Reader::is_before_since(const Record& record) {
  if (!has_since_ || record.stamp.empty()) return last_was_dropped_;
  if (is_fixed_stamp(record.stamp)) {
    last_was_dropped_ = std::memcmp(record.stamp.data(), since_text_.data(), kStampBytes) < 0;
  } else {
    const auto time = time_of(record.stamp);
    last_was_dropped_ = time && *time < since_;
  }
  return last_was_dropped_;
}

Reader::Joining& Reader::joining() {
  if (!joining_) joining_ = std::make_unique<Joining>();
  return *joining_;
}

void Reader::update_slow_channels() {
  const bool skips = fed_ < std::ranges::max(skip_bytes_);
  const bool busy =
      joining_ && (joining_->streaming || joining_->unended || !joining_->held.empty());
  slow_channels_ = skips || busy ? kAllChannels : 0;
  if (!joining_) return;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    if (joining_->lines[channel].begun) slow_channels_ |= bit(channel);
  }
}

}  // namespace sluice::loglines
