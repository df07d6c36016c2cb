#include "auth/signing_algorithm.h"

#include <array>
#include <utility>

namespace sluice::auth {
namespace {

using enum SigningAlgorithm;
constexpr std::array kAll = {Rs256, Rs384, Rs512, Ps256, Ps384, Ps512, Es256, Es384, Es512, EdDsa};

}  // namespace

std::string_view to_string(SigningAlgorithm algorithm) {
  switch (algorithm) {
    case Rs256: return "RS256";
    case Rs384: return "RS384";
    case Rs512: return "RS512";
    case Ps256: return "PS256";
    case Ps384: return "PS384";
    case Ps512: return "PS512";
    case Es256: return "ES256";
    case Es384: return "ES384";
    case Es512: return "ES512";
    case EdDsa: return "EdDSA";
  }
  std::unreachable();
}

std::optional<SigningAlgorithm> parse_signing_algorithm(std::string_view name) {
  for (const SigningAlgorithm algorithm : kAll) {
    if (name == to_string(algorithm)) return algorithm;
  }
  return std::nullopt;
}

bool fits(SigningAlgorithm algorithm, KeyType type) {
  switch (algorithm) {
    case Rs256:
    case Rs384:
    case Rs512:
    case Ps256:
    case Ps384:
    case Ps512: return type == KeyType::Rsa;
    case Es256: return type == KeyType::P256;
    case Es384: return type == KeyType::P384;
    case Es512: return type == KeyType::P521;
    case EdDsa: return type == KeyType::Ed25519 || type == KeyType::Ed448;
  }
  std::unreachable();
}

}  // namespace sluice::auth
