// Whether a request may become a WebSocket, and what is agreed then: subprotocol, framing,
// compression.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"
#include "session/session.h"
#include "ws/permessage_deflate.h"

namespace sluice::gateway {

inline constexpr std::string_view kRawSubprotocol = "binary.k8s.io";
inline constexpr std::string_view kChannelsV4 = "v4.channel.k8s.io";
inline constexpr std::string_view kChannelsV5 = "v5.channel.k8s.io";

/// What each endpoint speaks (contract section 10), for messages in this order.
inline constexpr std::array kLogSubprotocols = {kRawSubprotocol};
inline constexpr std::array kProcessSubprotocols = {kChannelsV5, kChannelsV4, kRawSubprotocol};
/// Several ports need channels to be told apart.
std::span<const std::string_view> port_subprotocols(std::size_t ports);

struct Upgrade {
  std::string accept;       // Sec-WebSocket-Accept
  std::string subprotocol;  // to be echoed; empty: none was offered
  session::Framing framing = session::Framing::Raw;
  /// What the client offered and can be met; whether it is used is the configuration's.
  std::optional<ws::DeflateParameters> deflate;
};

/// Errors: UpgradeRequired; InvalidArgument (key, or none of the subprotocols is known).
Result<Upgrade> require_upgrade(const http::FieldMap& fields,
                                std::span<const std::string_view> subprotocols);

/// The head of the 101.
http::ResponseHead switching_protocols(const Upgrade& upgrade);

}  // namespace sluice::gateway
