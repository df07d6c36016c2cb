#include "backend/kubernetes/streams/channel_framing.h"

#include <utility>

#include "channel/channel_pair.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr channel::ChannelPair kPair{0};
constexpr std::array kHeader{std::byte{kPair.data()}};

}  // namespace

Bytes ChannelFraming::header(std::size_t) { return kHeader; }

void ChannelFraming::feed(const ws::MessagePiece& piece) {
  const auto received = demultiplexer_.feed(piece.payload, piece.ends_message);
  event_ = received ? event_of(*received) : std::nullopt;
}

std::optional<PortEvent> ChannelFraming::event_of(const channel::ChannelPiece& piece) {
  const bool is_data = piece.channel == kPair.data();
  if (!is_data && piece.channel != kPair.error()) return std::nullopt;
  Announcement& announcement = is_data ? data_ : error_;
  if (announcement == Announcement::Expected) {
    if (piece.ends_message) announcement = Announcement::Seen;
    return std::nullopt;
  }
  if (piece.payload.empty()) return std::nullopt;
  if (is_data) return PortData{piece.payload};
  return PortTrouble{as_text(piece.payload)};
}

Result<std::optional<PortEvent>> ChannelFraming::next() { return std::exchange(event_, {}); }

}  // namespace sluice::backend::kubernetes
