// A client's opening handshake as fields of HTTP messages: what ws/handshake.h decides, where a
// request and its response have it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace sluice::ws {

/// Asks for the upgrade. `key` is of make_key(); the subprotocols are offered in this order.
void add_upgrade(http::FieldMap& fields, const std::string& key,
                 std::span<const std::string_view> subprotocols);

/// As check_upgrade() of ws/handshake.h.
Result<std::string> check_upgrade(const http::ResponseHead& response, std::string_view key,
                                  std::span<const std::string_view> offered_subprotocols);

}  // namespace sluice::ws
