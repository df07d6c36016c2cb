// The frame decoder on whatever a peer may send: it reads the same however the bytes are cut, and
// hands on no more payload than came.
#include <cstdlib>
#include <string>

#include "ws/frame_decoder.h"

namespace {

using namespace sluice;
using namespace sluice::ws;

std::string decode(Role role, FrameDecoder::Compression compression, std::string bytes,
                   std::size_t fragment) {
  FrameDecoder decoder(role, compression);
  std::string seen;
  for (std::size_t at = 0; at < bytes.size(); at += fragment) {
    MutableBytes input(reinterpret_cast<std::byte*>(bytes.data() + at),
                       std::min(fragment, bytes.size() - at));
    while (true) {
      const FrameEvent event = decoder.feed(input);
      if (std::holds_alternative<NeedsInput>(event)) break;
      if (const auto* data = std::get_if<DataPiece>(&event)) {
        seen += as_text(data->piece.payload);
        if (data->piece.ends_message) seen += "<message>";
      } else if (const auto* ping = std::get_if<Ping>(&event)) {
        if (ping->payload.size() > kMaxControlBytes) std::abort();
        seen += "<ping>";
      } else if (const auto* broken = std::get_if<Violation>(&event)) {
        // What of a text came before its first wrong byte depends on the cuts.
        if (broken->close.code == CloseCode::InvalidPayload) return "<not text>";
        seen += broken->close.reason;
      } else if (const auto* close = std::get_if<Close>(&event)) {
        seen += "<close>" + close->reason;
      }
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const Role role : {Role::Server, Role::Client}) {
    for (const auto compression :
         {FrameDecoder::Compression::None, FrameDecoder::Compression::Negotiated}) {
      const std::string whole = decode(role, compression, bytes, size + 1);
      for (const std::size_t fragment : {1u, 2u, 5u}) {
        if (decode(role, compression, bytes, fragment) != whole) std::abort();
      }
    }
  }
  return 0;
}
