// OpenIdProvider: what hands out tokens. Its endpoints by OpenID Connect Discovery 1.0; tokens by
// the grants of OAuth 2.0 (RFC 6749), for devices without a browser (RFC 8628), given back by
// RFC 7009.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "cli/cluster/connector.h"
#include "cli/cluster/token_store.h"
#include "http/client_connection.h"

namespace sluice::cli {

/// Who asks for tokens.
struct OAuthClient {
  std::string id;
  std::string secret;  // empty: a public client
  std::string scope;
};

/// What a person confirms in a browser (RFC 8628 3.2).
struct DeviceCode {
  std::string code;
  std::string user_code;
  std::string url;  // where, with the code in it if the provider makes such a one
  nanoseconds lifetime{};
  nanoseconds interval{};  // between two questions whether it was confirmed
};

/// One call at a time. Errors of all that ask: Unauthenticated, in the provider's words;
/// InvalidArgument (it has no such endpoint, or its URL is not confidential); Unavailable;
/// Cancelled.
class OpenIdProvider {
 public:
  /// Gets the discovery document. `connector` and `timers` outlive it.
  static net::Task<Result<OpenIdProvider>> discover(Connector& connector, net::Timers& timers,
                                                    std::string issuer);

  net::Task<Result<Tokens>> by_client_credentials(OAuthClient client);
  net::Task<Result<Tokens>> by_password(OAuthClient client, std::string user, std::string password);
  /// Where no new refresh token comes, the old one stays good.
  net::Task<Result<Tokens>> by_refresh_token(OAuthClient client, std::string refresh_token);

  net::Task<Result<DeviceCode>> begin_device(OAuthClient client);
  /// Asks until it was confirmed, refused, or has run out.
  net::Task<Result<Tokens>> by_device(OAuthClient client, DeviceCode device);

  bool can_revoke() const { return !revocation_endpoint_.empty(); }
  net::Task<Result<>> revoke(OAuthClient client, std::string refresh_token);

 private:
  using Form = std::vector<std::pair<std::string, std::string>>;
  /// An answer that is JSON, or is read as an empty object.
  struct Answer {
    unsigned status = 0;
    json::object body;
  };

  OpenIdProvider(Connector& connector, net::Timers& timers)
      : connector_(&connector), timers_(&timers) {}
  net::Task<Result<Answer>> exchange(std::string url, http::ClientRequest request);
  net::Task<Result<Answer>> post(std::string url, OAuthClient client, Form form);
  net::Task<Result<Tokens>> grant(OAuthClient client, Form form);
  Result<Tokens> tokens_of(const json::object& body) const;

  Connector* connector_;
  net::Timers* timers_;
  std::string token_endpoint_;
  std::string device_endpoint_;
  std::string revocation_endpoint_;
};

}  // namespace sluice::cli
