// The time stamp that a stored log line begins with: RFC 3339, nearly always in the 30 bytes
// "2026-01-02T03:04:05.000000006Z". Those are recognised without a branch a byte, and compare as
// text.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::loglines {

inline constexpr std::size_t kStampBytes = 30;

namespace detail {

inline std::uint64_t load8(const char* bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// Bits set where a byte is not what `shape` asks: '0' any digit, else that very byte. Adding to
/// the difference carries into the top bit: 0x76 from 10 on (a digit), 0x7F from 1 on (a fixed
/// byte).
inline std::uint64_t mismatch(const char* bytes, const char* shape, std::uint64_t limits) {
  const std::uint64_t difference = load8(bytes) ^ load8(shape);
  return (difference | (difference + limits)) & 0x8080808080808080;
}

consteval std::uint64_t limits_of(const char* shape) {
  std::uint64_t limits = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned byte = std::endian::native == std::endian::little ? i : 7 - i;
    limits |= (shape[i] == '0' ? 0x76ULL : 0x7FULL) << (8 * byte);
  }
  return limits;
}

}  // namespace detail

/// Whether `bytes`, at least 30, are digits and separators in these places (values are not
/// checked).
inline bool is_fixed_stamp(const char* bytes) {
  using detail::limits_of;
  using detail::mismatch;
  // The last word overlaps the one before.
  return (mismatch(bytes, "0000-00-", limits_of("0000-00-")) |
          mismatch(bytes + 8, "00T00:00", limits_of("00T00:00")) |
          mismatch(bytes + 16, ":00.0000", limits_of(":00.0000")) |
          mismatch(bytes + 22, "0000000Z", limits_of("0000000Z"))) == 0;
}

/// The same of text of any length, which must be nothing else.
inline bool is_fixed_stamp(std::string_view text) {
  return text.size() == kStampBytes && is_fixed_stamp(text.data());
}

}  // namespace sluice::loglines
