// A token from the network: parsing, claims and the bearer field. Nothing may trip a sanitizer;
// what is accepted keeps what the rest relies on.
#include <cstdlib>

#include "auth/bearer_token.h"
#include "auth/claims.h"
#include "auth/json_web_token.h"
#include "base/base64.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

void check_token(std::string_view text) {
  using namespace sluice;
  using namespace sluice::auth;
  const auto token = JsonWebToken::parse(text);
  if (!token) {
    require(token.error().code == ErrorCode::Unauthenticated);
    require(token.error().message.find_first_of("\"\\") == std::string::npos);
    return;
  }
  require(text.starts_with(token->signed_text));
  require(!token->signature.empty());
  require(token->signed_text.size() + 1 + base64url_encode(as_bytes(token->signature)).size() ==
          text.size());
}

void check_claim_set(std::string_view text) {
  using namespace sluice;
  using namespace sluice::auth;
  const auto value = json::parse(text);
  if (!value || !value->is_object()) return;
  const WallTime now{seconds(1'767'225'600)};
  const auto caller =
      check_claims(value->get_object(), {"i", {"a"}, ClaimNames{}, seconds(30)}, now);
  require(!caller || (!caller->user.empty() && caller->expires_at > now));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_token(text);
  // Without the encoding in between, the fuzzer reaches the JSON behind it.
  const std::string payload = base64url_encode(as_bytes(text));
  check_token("eyJhbGciOiJFUzI1NiJ9." + payload + ".AAAA");
  check_token(payload + ".e30.AAAA");
  check_claim_set(text);

  const std::string_view values[] = {text};
  const auto by_field = auth::bearer_token(values, {});
  require(!by_field || !by_field->empty());
  const auto by_subprotocol = auth::bearer_token({}, values);
  require(!by_subprotocol || !by_subprotocol->empty());
  return 0;
}
