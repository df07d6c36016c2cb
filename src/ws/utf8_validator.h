// UTF-8 checked as it arrives (RFC 3629, RFC 6455 8.1): a sequence may be split anywhere, and the
// first byte that can't be right is noticed at once. base/text.h checks whole texts.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace sluice::ws {

class Utf8Validator final {
 public:
  /// False from the first wrong byte on.
  bool feed(Bytes bytes);
  /// Whether the text may end here, and starts over.
  bool finish();

 private:
  bool feed_byte(std::uint8_t byte);

  std::uint8_t missing_ = 0;  // continuation bytes still to come
  std::uint8_t lowest_ =
      0x80;  // bounds of the next one: refuse overlong forms, surrogates, > U+10FFFF
  std::uint8_t highest_ = 0xBF;
};

}  // namespace sluice::ws
