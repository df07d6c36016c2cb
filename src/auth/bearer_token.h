// Where a request carries its token: the Authorization field (RFC 6750 2.1) or, for browsers, which
// can't set that on a WebSocket, a subprotocol as Kubernetes takes it. Never the query string.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "auth/refusal.h"

namespace sluice::auth {

/// The one subprotocol that is a credential and never echoed.
inline constexpr std::string_view kBearerSubprotocolPrefix =
    "base64url.bearer.authorization.k8s.io.";

/// The token, not yet verified. The arguments are the values of all the Authorization and all the
/// Sec-WebSocket-Protocol fields (http::FieldMap::find_all).
/// Errors: Unauthenticated, saying what is missing, malformed or given twice.
Accepted<std::string> bearer_token(std::span<const std::string_view> authorization_values,
                                   std::span<const std::string_view> subprotocol_values);

}  // namespace sluice::auth
