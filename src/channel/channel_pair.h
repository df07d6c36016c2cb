// Port-forward channels: the i-th requested port has data on channel 2i and errors on 2i+1. The
// server's first message on each is the port, 2 bytes little-endian. Source:
// kubernetes/cri-streaming pkg/streaming/portforward/websocket.go.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace sluice::channel {

/// The two channels of one port; `index` is its place in the request, from 0 to kMaxPairs - 1.
struct ChannelPair {
  std::uint8_t index = 0;
  constexpr std::uint8_t data() const { return static_cast<std::uint8_t>(2 * index); }
  constexpr std::uint8_t error() const { return static_cast<std::uint8_t>(2 * index + 1); }
  bool operator==(const ChannelPair&) const = default;
};

inline constexpr std::size_t kMaxPairs = 127;

constexpr ChannelPair pair_of(std::uint8_t channel) {
  return {static_cast<std::uint8_t>(channel / 2)};
}
constexpr bool is_data(std::uint8_t channel) { return channel % 2 == 0; }

/// The whole first message of a channel: channel byte and port.
std::array<std::byte, 3> port_announcement(std::uint8_t channel, std::uint16_t port);
/// The port of such a message's payload (without the channel byte); nullopt: it is not 2 bytes.
std::optional<std::uint16_t> parse_port_announcement(Bytes payload);

}  // namespace sluice::channel
