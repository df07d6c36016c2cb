// Comma-separated lists in HTTP fields (RFC 9110 5.6.1), as far as the handshake needs them.
#pragma once

#include <string_view>
#include <vector>

#include "ws/handshake.h"

namespace sluice::ws {

/// The parts between `separator`, trimmed; one inside a quoted string does not count. Empty parts
/// are left out.
std::vector<std::string_view> split_unquoted(std::string_view text, char separator);
/// The elements of all lines together, in order.
std::vector<std::string_view> list_elements(const FieldValues& values);
/// Whether an element equals `token`, in any case.
bool has_token(const FieldValues& values, std::string_view token);

}  // namespace sluice::ws
