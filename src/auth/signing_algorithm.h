// The signature algorithms that are accepted (RFC 7518 3.1, RFC 8037): asymmetric only. `none` and
// HS* have no value here, so nothing after parsing can be talked into them.
#pragma once

#include <optional>
#include <string_view>

namespace sluice::auth {

enum class SigningAlgorithm {
  Rs256,
  Rs384,
  Rs512,
  Ps256,
  Ps384,
  Ps512,
  Es256,
  Es384,
  Es512,
  EdDsa,
};

enum class KeyType { Rsa, P256, P384, P521, Ed25519, Ed448 };

/// As `alg` spells it; anything else, other cases included, is none of ours.
std::optional<SigningAlgorithm> parse_signing_algorithm(std::string_view name);
std::string_view to_string(SigningAlgorithm algorithm);

/// Each algorithm goes with its own type of key, ES256 with P-256 only (RFC 7518 3.4).
bool fits(SigningAlgorithm algorithm, KeyType type);

}  // namespace sluice::auth
