// Keys that sign, for tests only: made anew by each test program, with every type that a token may
// have.
#pragma once

#include <string>
#include <string_view>

#include "auth/json_web_key.h"

namespace sluice::auth {

class TestKey {
 public:
  /// One key of each type, and a second one of that type for whoever pretends.
  static const TestKey& of(KeyType type);
  static const TestKey& other(KeyType type);

  /// The public key as a JWK. `more` are members to add, such as R"("kid":"a")".
  std::string jwk(std::string_view more = {}) const;
  /// The raw signature as a token has it.
  std::string sign(SigningAlgorithm algorithm, std::string_view text) const;
  /// ECDSA signature as OpenSSL makes it, and other libraries wrongly send it.
  std::string sign_der(SigningAlgorithm algorithm, std::string_view text) const;
  /// SubjectPublicKeyInfo in PEM.
  std::string public_pem() const;

 private:
  TestKey(KeyType type, EvpKey key) : type_(type), key_(std::move(key)) {}
  static TestKey make(KeyType type);

  KeyType type_;
  EvpKey key_;
};

/// R"({"keys":[…]})" of one or two keys.
std::string jwk_set_of(std::string_view first, std::string_view second = {});

/// Header and claims, both JSON, and the signature that `key` makes for `algorithm`, whatever the
/// header says.
std::string token_of(const TestKey& key, SigningAlgorithm algorithm, std::string_view header,
                     std::string_view claims);

}  // namespace sluice::auth
