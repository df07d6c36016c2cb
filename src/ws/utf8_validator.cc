#include "ws/utf8_validator.h"

#include <cstring>

namespace sluice::ws {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

}  // namespace

bool Utf8Validator::feed(Bytes bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (missing_ == 0) {
      std::uint64_t word;
      for (; i + 8 <= bytes.size(); i += 8) {  // ASCII, the usual case, by words
        std::memcpy(&word, bytes.data() + i, 8);
        if ((word & kHighBits) != 0) break;
      }
      if (i == bytes.size()) break;
    }
    if (!feed_byte(std::to_integer<std::uint8_t>(bytes[i++]))) return false;
  }
  return true;
}

bool Utf8Validator::feed_byte(std::uint8_t byte) {
  if (missing_ > 0) {
    if (byte < lowest_ || byte > highest_) return false;
    --missing_;
    lowest_ = 0x80;
    highest_ = 0xBF;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xC2 || byte > 0xF4) return false;
  missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  if (byte == 0xE0) lowest_ = 0xA0;
  if (byte == 0xED) highest_ = 0x9F;
  if (byte == 0xF0) lowest_ = 0x90;
  if (byte == 0xF4) highest_ = 0x8F;
  return true;
}

bool Utf8Validator::finish() {
  const bool complete = missing_ == 0;
  *this = {};
  return complete;
}

}  // namespace sluice::ws
