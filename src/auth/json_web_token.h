// JSON Web Token in the JWS compact form (RFC 7515 7.1, RFC 7519): splitting and strict decoding.
// Nothing here is verified: what comes out are claims of an unknown sender until verify_signature()
// said yes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/refusal.h"
#include "auth/signing_algorithm.h"
#include "base/json.h"

namespace sluice::auth {

/// What of the JOSE header (RFC 7515 4) decides anything. Keys and addresses in it (`jwk`, `jku`,
/// `x5c`, `x5u`) are not even looked at: keys come from the issuer only (RFC 8725 3.10).
struct JoseHeader {
  SigningAlgorithm algorithm;
  std::optional<std::string> key_id;
};

/// Errors: Unauthenticated, its message fit for error_description.
Accepted<JoseHeader> parse_jose_header(std::string_view json_text);

struct JsonWebToken {
  static constexpr std::size_t kMaxBytes = 16 << 10;

  JoseHeader header;
  json::object claims;
  std::string_view signed_text;  // of the text that was parsed
  std::string signature;

  /// `text` stays valid as long as the token. Errors: Unauthenticated.
  static Accepted<JsonWebToken> parse(std::string_view text);
};

}  // namespace sluice::auth
