#include "auth/json_web_token.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"

namespace sluice::auth {
namespace {

std::unexpected<Refusal> malformed(std::string why, std::string cause = {}) {
  return refused(AuthenticationFailure::Malformed, "malformed token: " + std::move(why),
                 std::move(cause));
}

Accepted<json::object> parse_object(std::string_view text, std::string_view part) {
  auto value = json::parse(text);
  if (!value) {
    // The parser's words quote what it read; they are for the log.
    return malformed(fmt::format("{} is not valid JSON", part), std::move(value.error().message));
  }
  if (!value->is_object()) return malformed(fmt::format("{} is not an object", part));
  return std::move(value->get_object());
}

/// Extensions change what a signature means: a header that names one as critical, or uses an
/// unencoded payload without saying so (RFC 7797), is refused.
Accepted<> check_extensions(const json::object& header) {
  if (json::find(header, "crit") != nullptr)
    return refused(AuthenticationFailure::Other, "critical header extensions not supported");
  const json::value* encoded = json::find(header, "b64");
  if (encoded != nullptr && !(encoded->is_bool() && encoded->get_bool())) {
    return refused(AuthenticationFailure::Other, "unencoded payloads are not supported");
  }
  return {};
}

/// What an issuer signs for another purpose, such as a logout token, may have every claim that is
/// asked for: its type tells (RFC 8725 3.11). Most issuers name no type, or "JWT"; RFC 9068 has
/// "at+jwt", SPIFFE "JOSE".
Accepted<> check_type(const json::object& header) {
  if (json::find(header, "typ") == nullptr) return {};
  constexpr std::string_view kMediaType = "application/";  // may be left out (RFC 7515 4.1.9)
  std::optional<std::string_view> type = json::find_string(header, "typ");
  if (!type) return malformed("typ is not a string");
  if (equals_ignore_case(type->substr(0, kMediaType.size()), kMediaType)) {
    type->remove_prefix(kMediaType.size());
  }
  for (const std::string_view accepted : {"JWT", "at+jwt", "JOSE"}) {
    if (equals_ignore_case(*type, accepted)) return {};
  }
  return refused(AuthenticationFailure::Other,
                 "the typ of the token is that of no access token; use JWT or at+jwt");
}

}  // namespace

Accepted<JoseHeader> parse_jose_header(std::string_view json_text) {
  TRY(const json::object header, parse_object(json_text, "the header"));
  const auto name = json::find_string(header, "alg");
  if (!name) return malformed("no alg in the header");
  const auto algorithm = parse_signing_algorithm(*name);
  if (!algorithm) {
    return refused(AuthenticationFailure::Other,
                   "signature algorithm not accepted; use RS, PS or ES 256, 384, 512 or EdDSA");
  }
  TRY_VOID(check_extensions(header));
  TRY_VOID(check_type(header));
  std::optional<std::string> key_id;
  if (json::find(header, "kid") != nullptr) {
    key_id = json::find_string(header, "kid");
    if (!key_id) return malformed("kid is not a string");
  }
  return JoseHeader{*algorithm, std::move(key_id)};
}

Accepted<JsonWebToken> JsonWebToken::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return refused(AuthenticationFailure::Malformed, "token too long");
  const std::size_t first_dot = text.find('.');
  const std::size_t second_dot =
      first_dot == std::string_view::npos ? first_dot : text.find('.', first_dot + 1);
  if (second_dot == std::string_view::npos ||
      text.find('.', second_dot + 1) != std::string_view::npos) {
    return malformed("not three parts separated by dots");
  }
  const auto header = base64url_decode(text.substr(0, first_dot));
  const auto payload = base64url_decode(text.substr(first_dot + 1, second_dot - first_dot - 1));
  auto signature = base64url_decode(text.substr(second_dot + 1));
  if (!header || !payload || !signature) return malformed("not base64url");

  JsonWebToken token;
  TRY(token.header, parse_jose_header(*header));
  TRY(token.claims, parse_object(*payload, "the payload"));
  if (signature->empty())
    return refused(AuthenticationFailure::BadSignature, "token is not signed");
  token.signed_text = text.substr(0, second_dot);
  token.signature = *std::move(signature);
  return token;
}

}  // namespace sluice::auth
