// The opening handshake of RFC 6455 section 4, both sides, on field values: it knows neither HTTP
// messages nor sockets. Who sends what is the caller's; here is decided whether it is right.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"

namespace sluice::ws {

/// Every value of a field, one for each line of that name; each may be a comma-separated list.
using FieldValues = std::vector<std::string_view>;

/// The one version there is. It stands in each request, and in each answer to an UpgradeRequired.
inline constexpr std::string_view kVersion = "13";

/// What a client's GET says about the upgrade.
struct UpgradeRequest {
  FieldValues upgrade;
  FieldValues connection;
  FieldValues version;  // Sec-WebSocket-Version
  FieldValues key;      // Sec-WebSocket-Key
};

/// Checks the request and returns the value of Sec-WebSocket-Accept (RFC 6455 4.2).
/// Errors: UpgradeRequired (no upgrade asked for, or another version: answer 426 with `Upgrade:
/// websocket`, `Connection: Upgrade` and `Sec-WebSocket-Version: 13`), InvalidArgument (key).
Result<std::string> accept_upgrade(const UpgradeRequest& request);

/// A fresh Sec-WebSocket-Key for a client.
std::string make_key(Random& random);

/// What the server answered to a client's upgrade.
struct UpgradeResponse {
  unsigned status = 0;
  FieldValues upgrade;
  FieldValues connection;
  FieldValues accept;    // Sec-WebSocket-Accept
  FieldValues protocol;  // Sec-WebSocket-Protocol
};

/// Checks a server's answer (RFC 6455 4.1) to a request with this `key` and these subprotocols;
/// returns the subprotocol that the server chose, or "". Errors: Unavailable, saying what was wrong
/// with it.
Result<std::string> check_upgrade(const UpgradeResponse& response, std::string_view key,
                                  std::span<const std::string_view> offered_subprotocols);

}  // namespace sluice::ws
