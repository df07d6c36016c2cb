// Inflating what a peer may send ends, in bounded room, and the same however the room is cut; what
// we deflate reads back.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>

#include "ws/output_buffer.h"
#include "ws/permessage_deflate.h"

namespace {

using namespace sluice;
using namespace sluice::ws;

constexpr std::size_t kMaxText = 1_MiB;

std::optional<std::string> inflate(Inflater& inflater, Bytes message, std::size_t room_size) {
  std::array<std::byte, 4096> room;
  std::string text;
  bool more = true;
  while (more && text.size() < kMaxText) {
    const auto step = inflater.decompress(message, true, MutableBytes(room).first(room_size));
    if (!step) return std::nullopt;
    message = message.subspan(step->consumed);
    text += as_text(Bytes(room).first(step->produced));
    more = step->more;
  }
  text.resize(std::min(text.size(), kMaxText));
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  Inflater wide({});
  Inflater narrow({});
  if (inflate(wide, bytes, 4096) != inflate(narrow, bytes, 37)) std::abort();

  Deflater deflater({});
  Inflater inflater({});
  for (int i = 0; i < 2; ++i) {
    OutputBuffer out;
    deflater.compress(bytes, true, out);
    const auto text = inflate(inflater, out.pending(), 100);
    if (size < kMaxText && text != as_text(bytes)) std::abort();
  }
  (void)negotiate_deflate({as_text(bytes)});
  return 0;
}
