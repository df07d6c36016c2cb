#include "channel/channel_pair.h"

namespace sluice::channel {

std::array<std::byte, 3> port_announcement(std::uint8_t channel, std::uint16_t port) {
  return {static_cast<std::byte>(channel), static_cast<std::byte>(port),
          static_cast<std::byte>(port >> 8)};
}

std::optional<std::uint16_t> parse_port_announcement(Bytes payload) {
  if (payload.size() != 2) return std::nullopt;
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(payload[0]) |
                                    std::to_integer<unsigned>(payload[1]) << 8);
}

}  // namespace sluice::channel
