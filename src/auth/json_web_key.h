// JSON Web Keys (RFC 7517, RFC 7518 6, RFC 8037): from the text of a key or a key set to what
// verifies. Public, asymmetric signature keys only: a symmetric key can't even be represented, so
// no token is ever verified by HMAC with something that is public.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/signing_algorithm.h"
#include "base/json.h"
#include "base/result.h"

struct evp_pkey_st;

namespace sluice::auth {

/// Shared by the key sets, on any thread, that hold the key: immutable once made.
using EvpKey = std::shared_ptr<evp_pkey_st>;

/// Takes a reference over from OpenSSL.
EvpKey own_key(evp_pkey_st* key);

struct JsonWebKey {
  KeyType type;
  std::optional<std::string> id;              // `kid`
  std::optional<SigningAlgorithm> algorithm;  // `alg`: then no other is accepted
  EvpKey key;

  /// Whether this key may verify that algorithm: its type fits, and so does its `alg`.
  bool fits(SigningAlgorithm candidate) const;
};

/// One key. Errors: InvalidArgument, saying why it can't verify signatures: unknown type, weak or
/// malformed, meant for something else (`use`, `key_ops`, `alg`).
Result<JsonWebKey> parse_json_web_key(const json::object& object);

class JwkSet {
 public:
  static constexpr std::size_t kMaxKeys = 256;
  static constexpr std::size_t kMaxCandidates = 8;

  /// A JWK Set document (RFC 7517 5). Keys that can't be used are skipped, as it asks. Errors:
  /// InvalidArgument: not a set, more than kMaxKeys, or none that can be used (and why not the
  /// first).
  static Result<JwkSet> parse(std::string_view text);

  /// The keys to try for a token, at most kMaxCandidates: those of that `kid`, or without one those
  /// whose type fits. Valid as long as the set.
  std::vector<const JsonWebKey*> candidates(const std::optional<std::string>& key_id,
                                            SigningAlgorithm algorithm) const;
  /// Whether any key has that id, whatever its type.
  bool has_key(std::string_view key_id) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::vector<JsonWebKey> keys_;
};

}  // namespace sluice::auth
