// RFC 4648: base 64 in its standard and URL alphabets, and base 16. Decoding is strict about
// everything but what each caller allows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sluice {

/// URL alphabet, no padding: what JOSE (RFC 7515 2) and the bearer subprotocol use.
std::string base64url_encode(Bytes bytes);
/// Standard alphabet with padding (RFC 4648 4).
std::string base64_encode(Bytes bytes);
/// URL alphabet without padding, non-zero trailing bits refused. nullopt when it is anything else.
std::optional<std::string> base64url_decode(std::string_view text);
/// Standard or URL alphabet (not mixed), padded or not: what people paste into `command`.
std::optional<std::string> base64_decode_any(std::string_view text);

/// Base 16 in lower case, as sha256sum and trace ids have it.
std::string hex_encode(Bytes bytes);

}  // namespace sluice
