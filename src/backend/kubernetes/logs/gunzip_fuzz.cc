// Any bytes as a compressed log file: what comes out, and whether it is complete or damaged, is the
// same however the bytes are split and however much room there is.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "backend/kubernetes/logs/gunzip.h"
#include "base/text.h"

namespace {

using namespace sluice;
using backend::kubernetes::Gunzip;

constexpr std::size_t kMaxInflated = 1 << 20;  // a few bytes may be gigabytes

/// What came out, and a letter for how it ended.
std::string inflate(Bytes compressed, std::size_t piece, std::size_t room) {
  Gunzip gunzip;
  std::vector<std::byte> block(room);
  std::string out;
  while (out.size() < kMaxInflated) {
    const Bytes offered = compressed.first(std::min(piece, compressed.size()));
    Bytes input = offered;
    const Result<std::size_t> count = gunzip.inflate(input, block);
    if (!count) return out + "D";
    out += as_text(Bytes(block).first(*count));
    const std::size_t used = offered.size() - input.size();
    compressed = compressed.subspan(used);
    if (*count == 0 && used == 0) return out + (gunzip.complete() ? "C" : "I");
  }
  out.resize(kMaxInflated);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes compressed = std::as_bytes(std::span(data, size));
  const std::size_t piece = size == 0 ? 1 : data[size - 1] % 16 + 1U;
  const std::size_t room = size == 0 ? 1 : data[size / 2] + 1U;
  if (inflate(compressed, size + 1, 65'536) != inflate(compressed, piece, room)) std::abort();
  return 0;
}
