// One stored record, taken apart: stamp, channel, tag, and where its text begins.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace sluice::loglines {

enum class Format { Cri, Stamped };

/// What a record belongs to. Lines that are in no format are kept apart, so that they mix with
/// none.
enum class Channel : std::uint8_t { Stdout, Stderr, Unknown };
inline constexpr std::size_t kChannels = 3;
constexpr std::size_t index(Channel channel) { return static_cast<std::size_t>(channel); }

enum class Tag : std::uint8_t { Full, Partial };

struct Record {
  Channel channel = Channel::Unknown;
  Tag tag = Tag::Full;
  std::string_view stamp;       // as stored; empty: not in the format, and the whole is text
  std::size_t text_offset = 0;  // from the record's first byte
};

/// `record` is without its '\n', or the beginning of one of which at least the header is there.
Record parse_record(Format format, std::string_view record);

/// The time of a stamp that parse_record accepted, as 30 bytes of UTC or as a time.
std::optional<WallTime> time_of(std::string_view stamp);

}  // namespace sluice::loglines
