// TokenStore: what `sluice login` got, kept for one cluster in a file that only its owner can read,
// beside the configuration.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/task.h"
#include "net/timers.h"

namespace sluice::cli {

/// What an issuer hands out (RFC 6749 5.1).
struct Tokens {
  std::string access;
  std::string refresh;                 // empty: none
  std::optional<WallTime> expires_at;  // of `access`; absent: not known
};

class TokenStore {
 public:
  /// `cluster` empty: there is nothing, and nothing can be stored.
  TokenStore(const std::string& config_file, const std::string& cluster);

  /// nullopt: nobody has logged in. Errors: InvalidArgument, Internal, naming the file.
  Result<std::optional<Tokens>> read() const;
  /// Errors: Internal.
  Result<> write(const Tokens& tokens) const;
  /// False: there was nothing. Errors: Internal.
  Result<bool> remove() const;

  /// Held by whoever replaces the tokens: a refresh token may be good for one use only. Closing it
  /// lets go. Errors: Internal (held by another program for too long), Cancelled.
  net::Task<Result<UniqueFd>> lock(net::Timers& timers) const;

 private:
  std::string folder_;
  std::string file_;
};

}  // namespace sluice::cli
