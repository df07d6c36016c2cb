#include "channel/demultiplexer.h"

namespace sluice::channel {

std::optional<ChannelPiece> Demultiplexer::feed(MutableBytes payload, bool ends_message) {
  if (!channel_ && !payload.empty()) {
    channel_ = std::to_integer<std::uint8_t>(payload.front());
    payload = payload.subspan(1);
    passed_on_ = false;
  }
  std::optional<ChannelPiece> piece;
  if (channel_ && (ends_message || !payload.empty())) {
    piece = ChannelPiece{.channel = *channel_,
                         .payload = payload,
                         .starts_message = !passed_on_,
                         .ends_message = ends_message};
    passed_on_ = true;
  }
  if (ends_message) channel_.reset();
  return piece;
}

}  // namespace sluice::channel
