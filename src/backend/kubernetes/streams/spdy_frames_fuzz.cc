// What a server may send in a tunnel: the streams have the same bytes and ends however the input is
// cut.
#include <cstdlib>
#include <string>

#include "backend/kubernetes/streams/spdy_frames.h"

namespace {

using namespace sluice;
using namespace sluice::backend::kubernetes;

/// One byte of data a line, since a cut may part what belongs together.
void note(const SpdyEvent& event, std::string& seen) {
  if (const auto* data = std::get_if<SpdyData>(&event)) {
    for (const char c : as_text(data->bytes)) seen += std::to_string(data->stream) + c + "\n";
    if (data->ends_stream) seen += std::to_string(data->stream) + " ends\n";
  } else if (const auto* reset = std::get_if<SpdyReset>(&event)) {
    seen += std::to_string(reset->stream) + " is reset\n";
  } else {
    seen += "ping " + std::to_string(std::get<SpdyPing>(event).id) + "\n";
  }
}

std::string decode(std::string_view text, std::size_t piece) {
  SpdyDecoder decoder;
  std::string seen;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    Bytes input = as_bytes(text.substr(at, piece));
    while (true) {
      const auto event = decoder.feed(input);
      if (!event) return seen + event.error().message;
      if (!*event) break;
      note(**event, seen);
    }
    if (!input.empty()) std::abort();
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t piece = size == 0 ? 1 : data[size - 1] % 15 + 1U;
  if (decode(text, size + 1) != decode(text, piece)) std::abort();
  return 0;
}
