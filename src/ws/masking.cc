#include "ws/masking.h"

#include <bit>
#include <cstring>

namespace sluice::ws {
namespace {

static_assert(std::endian::native == std::endian::little, "MaskingKey turns towards low bytes");

constexpr std::size_t kBlockBytes = 64;

/// A fixed count, so that the compiler makes vector instructions of it.
void mask_block(std::byte* at, std::uint64_t key) {
  std::uint64_t words[kBlockBytes / 8];
  std::memcpy(words, at, kBlockBytes);
  for (std::uint64_t& word : words) word ^= key;
  std::memcpy(at, words, kBlockBytes);
}

}  // namespace

MaskingKey apply_mask(MutableBytes bytes, MaskingKey key) {
  const std::uint64_t wide = std::uint64_t{key} << 32 | key;
  std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kBlockBytes; at += kBlockBytes, left -= kBlockBytes) mask_block(at, wide);
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    word ^= wide;
    std::memcpy(at, &word, 8);
  }
  for (std::size_t i = 0; i < left; ++i) {
    at[i] ^= static_cast<std::byte>(key >> (8 * (i % 4)));
  }
  return std::rotr(key, static_cast<int>(8 * (bytes.size() % 4)));
}

}  // namespace sluice::ws
