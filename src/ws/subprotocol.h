// Subprotocols (RFC 6455 1.9): which one is spoken.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ws/handshake.h"

namespace sluice::ws {

/// The first of `known` that the client lists, in the client's order; "" when it offered none at
/// all (the answer then has no Sec-WebSocket-Protocol).
/// Errors: InvalidArgument when none of what is offered is known; the message names `known`.
Result<std::string> choose_subprotocol(const FieldValues& offered,
                                       std::span<const std::string_view> known);

}  // namespace sluice::ws
