// Why a request is not taken for anybody's: an Error for whoever sent it, and a reason to count it
// by.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/result.h"
#include "observe/metrics.h"

namespace sluice::auth {

/// An Error converts to a Refusal: what goes wrong on the way is no fault of the token's.
struct Refusal : Error {
  Refusal(Error error, AuthenticationFailure why = AuthenticationFailure::Other)
      : Error(std::move(error)), reason(why) {}

  AuthenticationFailure reason;
};

/// What passed a check, or the Refusal. TRY hands it on whole, and as its Error where a Result is
/// returned.
template <typename T = void>
using Accepted = std::expected<T, Refusal>;

/// `return refused(…)` in a function that returns any Accepted<T>: Unauthenticated. `cause` is for
/// the log only.
inline std::unexpected<Refusal> refused(AuthenticationFailure reason, std::string message,
                                        std::string cause = {}) {
  return std::unexpected(
      Refusal({ErrorCode::Unauthenticated, std::move(message), {}, std::move(cause), {}}, reason));
}

}  // namespace sluice::auth
