// Credentials: the token that requests carry: the one that was given, or that of `sluice login`,
// renewed before it expires.
#pragma once

#include <string>

#include "cli/cluster/connector.h"
#include "cli/cluster/environment.h"
#include "cli/cluster/open_id_provider.h"
#include "cli/cluster/settings.h"
#include "cli/cluster/token_store.h"

namespace sluice::cli {

/// Who logs in, by the settings. Errors: InvalidArgument (no client, an unreadable secret).
Result<OAuthClient> oauth_client(const Settings& settings, const Environment& environment);

class Credentials {
 public:
  /// A token is renewed when it has no more left.
  static constexpr nanoseconds kRenewal = seconds(60);

  /// All outlive it.
  Credentials(const Settings& settings, const Environment& environment, Connector& connector,
              net::Timers& timers);

  /// Of the environment; or of the token file, which is read each time, since it may be renewed
  /// there; or of the login. Calls may overlap. Errors: Unauthenticated, saying how to get one;
  /// those of TokenStore; Cancelled.
  net::Task<Result<std::string>> token();
  /// From now on this one.
  void use(std::string token) { token_ = std::move(token); }
  /// Whether a later token() may give another one than an earlier.
  bool can_change() const { return token_.empty(); }

 private:
  net::Task<Result<std::string>> login_token();
  net::Task<Result<Tokens>> renew();
  net::Task<Result<Tokens>> request(Tokens old);
  bool is_fresh(const Tokens& tokens) const;

  const Settings& settings_;
  const Environment& environment_;
  Connector& connector_;
  net::Timers& timers_;
  TokenStore store_;
  std::string token_;
};

}  // namespace sluice::cli
