// An issuer for demos, tests and single machines: `sluice-development`, whose ES256 key lies in the
// state directory. Whoever can read that file is everybody; so it is refused unless only its owner
// can.
#pragma once

#include <string>

#include "auth/caller.h"
#include "auth/json_web_key.h"
#include "base/random.h"
#include "base/result.h"

namespace sluice::auth {

inline constexpr std::string_view kDevelopmentIssuer = "sluice-development";

class DevelopmentIssuer {
 public:
  /// Loads the key from `state_dir`/development-key.pem, or makes both. Errors: InvalidArgument
  /// (mode, content), Unavailable (file system), each naming the file.
  static Result<DevelopmentIssuer> open(const std::string& state_dir);
  /// The same, but makes nothing: a key that isn't there yet is in order.
  static Result<> check(const std::string& state_dir);

  /// A token that says who `caller` is until caller.expires_at. Errors: Internal.
  Result<std::string> sign(const Caller& caller, WallTime now, Random& random) const;
  /// The key that verifies it, as an issuer would publish it: a JWK Set.
  std::string jwk_set() const;

 private:
  explicit DevelopmentIssuer(EvpKey key);

  EvpKey private_key_;
  std::string public_jwk_;
  std::string key_id_;
};

}  // namespace sluice::auth
