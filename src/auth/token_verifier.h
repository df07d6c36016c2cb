// From a bearer token to a Caller: signature by the issuer's keys, then the claims (RFC 7519 4.1,
// RFC 8725). Verified tokens are remembered by hash until they expire.
#pragma once

#include <string>

#include "auth/caller.h"
#include "auth/refusal.h"
#include "net/task.h"

namespace sluice::auth {

class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;
  /// May wait for keys to be fetched. Errors: Unauthenticated, its message fit for
  /// error_description ("token expired", "unknown issuer"), never quoting the token; Unavailable
  /// when no keys can be had.
  virtual net::Task<Accepted<Caller>> verify(std::string token) = 0;
};

}  // namespace sluice::auth
