#include "gateway/bearer_token.h"

#include <algorithm>

#include "auth/bearer_token.h"
#include "base/text.h"

namespace sluice::gateway {
namespace {

bool has_query_token(std::string_view query) {
  return std::ranges::any_of(split(query, '&'), [](std::string_view pair) {
    return pair.starts_with("access_token=") || pair.starts_with("token=");
  });
}

bool offers_token(std::string_view subprotocols) {
  return subprotocols.find(auth::kBearerSubprotocolPrefix) != std::string_view::npos;
}

}  // namespace

auth::Accepted<std::string> find_bearer_token(const http::RequestHead& head) {
  const auto authorization = head.fields.find_all("Authorization");
  const auto subprotocols = head.fields.find_all("Sec-WebSocket-Protocol");
  if (!authorization.empty() || std::ranges::any_of(subprotocols, offers_token)) {
    return auth::bearer_token(authorization, subprotocols);
  }
  if (has_query_token(head.query)) {
    return auth::refused(
        AuthenticationFailure::Malformed,
        "tokens in the query are refused; use the header Authorization: Bearer <token>");
  }
  return auth::refused(AuthenticationFailure::MissingToken,
                       "no token; use the header Authorization: Bearer <token>");
}

}  // namespace sluice::gateway
