#include "auth/bearer_token.h"

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/text.h"

namespace sluice::auth {
namespace {

std::unexpected<Refusal> malformed(std::string why) {
  return refused(AuthenticationFailure::Malformed, std::move(why));
}

/// RFC 9110 11.2: letters, digits, -._~+/ and '=' at the end.
bool is_token68(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/").find(c) != std::string_view::npos;
  });
}

Accepted<std::string> parse_authorization(std::string_view value) {
  value = trim(value);
  const std::size_t space = value.find(' ');
  if (!equals_ignore_case(value.substr(0, space), "Bearer")) {
    return malformed("Authorization is not of the form Bearer TOKEN");
  }
  const std::string_view token = space == std::string_view::npos ? "" : trim(value.substr(space));
  if (!is_token68(token)) return malformed("Authorization is not of the form Bearer TOKEN");
  return std::string(token);
}

Accepted<std::string> parse_subprotocol(std::string_view encoded) {
  auto token = base64url_decode(encoded);
  if (!token || !is_token68(*token))
    return malformed("the bearer subprotocol holds no base64url token");
  return *std::move(token);
}

}  // namespace

Accepted<std::string> bearer_token(std::span<const std::string_view> authorization_values,
                                   std::span<const std::string_view> subprotocol_values) {
  if (authorization_values.size() > 1) return malformed("Authorization given more than once");
  std::optional<std::string_view> encoded;
  for (const std::string_view line : subprotocol_values) {
    for (const std::string_view part : split(line, ',')) {
      const std::string_view entry = trim(part);
      if (!entry.starts_with(kBearerSubprotocolPrefix)) continue;
      if (encoded) return malformed("bearer subprotocol given more than once");
      encoded = entry.substr(kBearerSubprotocolPrefix.size());
    }
  }
  if (!authorization_values.empty() && encoded) {
    return malformed("token given both as Authorization and as subprotocol");  // RFC 6750 2
  }
  if (!authorization_values.empty()) return parse_authorization(authorization_values.front());
  if (encoded) return parse_subprotocol(*encoded);
  return refused(AuthenticationFailure::MissingToken,
                 "no bearer token: send Authorization: Bearer TOKEN");
}

}  // namespace sluice::auth
