// Masking (RFC 6455 5.3): XOR with a 4-byte key, in place, by wide words.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace sluice::ws {

/// The 4 key bytes in the order in which they stand on the wire, as one word of this machine.
using MaskingKey = std::uint32_t;

/// Masks or unmasks. Returns the key for the bytes that follow these in the same frame: the key
/// turned by as many bytes as `bytes` goes beyond a multiple of 4.
[[nodiscard]] MaskingKey apply_mask(MutableBytes bytes, MaskingKey key);

}  // namespace sluice::ws
