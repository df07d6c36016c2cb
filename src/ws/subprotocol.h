// Subprotocols (RFC 6455 1.9): which one is spoken, and the bearer token that browsers carry in one
// of them because they can't set Authorization (kubernetes/apiserver
// pkg/authentication/request/websocket).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ws/handshake.h"

namespace sluice::ws {

inline constexpr std::string_view kBearerSubprotocolPrefix =
    "base64url.bearer.authorization.k8s.io.";

/// The first of `known` that the client lists, in the client's order; "" when it offered none at
/// all (the answer then has no Sec-WebSocket-Protocol). The bearer subprotocol is never chosen.
/// Errors: InvalidArgument when none of what is offered is known; the message names `known`.
Result<std::string> choose_subprotocol(const FieldValues& offered,
                                       std::span<const std::string_view> known);

/// The token inside the bearer subprotocol, decoded; nullopt when there is none.
/// Errors: Unauthenticated when it is not base64url (padding is tolerated), empty, or given twice.
Result<std::optional<std::string>> bearer_token(const FieldValues& offered);

}  // namespace sluice::ws
