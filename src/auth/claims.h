// The claims of a token whose signature is verified (RFC 7519 4.1): whether they hold now, and who
// they say the bearer is. Pure: `now` comes in.
//
// `exp` is exact: at that moment a token is refused and a session of its bearer ends. The leeway is
// for `nbf` and `iat` only, where a clock that is a little behind would refuse a token fresh from
// its issuer.
#pragma once

#include <string>
#include <vector>

#include "auth/caller.h"
#include "auth/config.h"
#include "auth/refusal.h"
#include "base/json.h"

namespace sluice::auth {

/// What holds for the tokens of one issuer.
struct ClaimRules {
  std::string issuer;
  std::vector<std::string> audiences;  // empty: any
  ClaimNames names;
  nanoseconds leeway{};
};

/// Errors: Unauthenticated, its message fit for error_description (RFC 6750 3: no quotes), never
/// quoting what the token says.
Accepted<Caller> check_claims(const json::object& claims, const ClaimRules& rules, WallTime now);

}  // namespace sluice::auth
