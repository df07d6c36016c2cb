#include "recording/utf8_joiner.h"

#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace sluice::recording {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kLongestSequence = 4;

/// How much of `bytes` is whole sequences.
std::size_t valid_prefix(std::string_view bytes) {
  constexpr std::uint64_t kNotAscii = 0x8080808080808080;
  std::size_t size = 0;
  while (size < bytes.size()) {
    std::uint64_t word = kNotAscii;
    if (bytes.size() - size >= sizeof word) std::memcpy(&word, bytes.data() + size, sizeof word);
    if ((word & kNotAscii) == 0) {
      size += sizeof word;
      continue;
    }
    const std::size_t length = utf8_sequence_length(bytes.substr(size));
    if (length == 0) break;
    size += length;
  }
  return size;
}

/// Whether more bytes could make these a sequence: whether some do. The second byte of a sequence
/// has bounds of its own, of which either the lowest or the highest byte keeps each.
bool is_beginning(std::string_view bytes) {
  if (bytes.size() >= kLongestSequence) return false;
  for (const char rest : {'\x80', '\xBF'}) {
    std::string whole(bytes);
    whole.resize(kLongestSequence, rest);
    if (utf8_sequence_length(whole) > bytes.size()) return true;
  }
  return false;
}

}  // namespace

void Utf8Joiner::append(std::string_view bytes, std::string& text) {
  std::string joined;
  if (!held_.empty()) {
    joined.swap(held_);
    joined += bytes;
    bytes = joined;
  }
  while (!bytes.empty()) {
    const std::size_t valid = valid_prefix(bytes);
    text += bytes.substr(0, valid);
    bytes.remove_prefix(valid);
    if (bytes.empty()) return;
    if (is_beginning(bytes)) {
      held_ = bytes;
      return;
    }
    text += kReplacement;
    bytes.remove_prefix(1);
  }
}

void Utf8Joiner::finish(std::string& text) {
  for (std::size_t i = 0; i < held_.size(); ++i) text += kReplacement;
  held_.clear();
}

}  // namespace sluice::recording
