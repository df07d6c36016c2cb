// The frame decoder on whatever a peer may send: it reads the same however the bytes are cut, which
// is what a second reading of all of them finds.
#include <string>

#include "testing/require.h"
#include "ws/frame_decoder.h"
#include "ws/frame_reading_test_support.h"

namespace {

using namespace sluice;
using namespace sluice::ws;
using sluice::testing::require;

void take(const MessagePiece& piece, Reading& seen) {
  if (piece.starts_message) seen.unfinished = {piece.opcode, {}};
  require(piece.opcode == seen.unfinished.opcode, "a message is of one kind");
  seen.unfinished.payload += as_text(piece.payload);
  if (piece.ends_message) seen.messages.push_back(std::exchange(seen.unfinished, {}));
}

Reading decode(Role role, FrameDecoder::Compression compression, std::string bytes,
               std::size_t fragment) {
  FrameDecoder decoder(role, compression);
  Reading seen;
  for (std::size_t at = 0; at < bytes.size(); at += fragment) {
    MutableBytes input(reinterpret_cast<std::byte*>(bytes.data() + at),
                       std::min(fragment, bytes.size() - at));
    while (true) {
      FrameEvent event = decoder.feed(input);
      if (std::holds_alternative<NeedsInput>(event)) break;
      require(!seen.violation && !seen.close, "nothing follows the end");
      if (const auto* data = std::get_if<DataPiece>(&event)) take(data->piece, seen);
      if (const auto* ping = std::get_if<Ping>(&event))
        seen.pings.emplace_back(as_text(ping->payload));
      if (const auto* broken = std::get_if<Violation>(&event)) seen.violation = broken->close.code;
      if (auto* close = std::get_if<Close>(&event)) seen.close = std::move(*close);
    }
  }
  return seen;
}

/// Without what the cuts decide: of a text, how much came before its first wrong byte; of a
/// message, whether the header of its first frame was there.
Reading comparable(Reading seen) {
  if (seen.violation) seen.unfinished.payload.clear();
  if (seen.unfinished.payload.empty()) seen.unfinished = {};
  seen.pongs.clear();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const Role role : {Role::Server, Role::Client}) {
    for (const auto compression :
         {FrameDecoder::Compression::None, FrameDecoder::Compression::Negotiated}) {
      const Reading whole = comparable(decode(role, compression, bytes, size + 1));
      for (const std::size_t fragment : {1u, 2u, 5u}) {
        require(comparable(decode(role, compression, bytes, fragment)) == whole,
                "frames are read the same however they are cut");
      }
      if (compression == FrameDecoder::Compression::Negotiated) continue;
      FrameReading reading({.reader = role, .max_message_bytes = kAnySize, .compression = {}});
      require(comparable(reading.read(bytes)) == whole, "frames mean what RFC 6455 says");
    }
  }
  return 0;
}
