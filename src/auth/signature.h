// Verifying a JWS signature (RFC 7518 3.3 to 3.5, RFC 8037 3.1) with a key that fits its algorithm.
#pragma once

#include <string_view>

#include "auth/json_web_key.h"

namespace sluice::auth {

/// Whether `signature` (raw bytes, as decoded from the token) is one of `signed_text` by `key` and
/// `algorithm`. False for everything else: a key that doesn't fit the algorithm, a wrong length, an
/// ECDSA signature as DER instead of r and s.
bool verify_signature(const JsonWebKey& key, SigningAlgorithm algorithm,
                      std::string_view signed_text, std::string_view signature);

}  // namespace sluice::auth
