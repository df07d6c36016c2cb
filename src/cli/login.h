// sluice login and logout: tokens for a cluster, from the OpenID Connect issuer that it trusts.
#pragma once

#include <string>

#include "cli/cluster/context.h"

namespace sluice::cli {

/// Empty: as the configuration has it.
struct LoginOptions {
  std::string issuer;
  std::string client_id;
  std::string client_secret_file;  // the client logs in for itself
  std::string user;                // logs in by a password, which is asked for
  std::string scope = "openid";
};

/// With a client's secret it is the client that logs in, with `user` that one by a password, else
/// whoever confirms a code in a browser. What it took is written to the configuration, so that the
/// next login needs no options. Errors: Unauthenticated, in the issuer's or the server's words.
net::Task<Result<int>> run_login(Context& context, LoginOptions options);

/// Gives the tokens back and forgets them. An issuer that can't be reached doesn't hinder it.
net::Task<Result<int>> run_logout(Context& context);

}  // namespace sluice::cli
