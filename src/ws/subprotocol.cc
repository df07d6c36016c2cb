#include "ws/subprotocol.h"

#include <algorithm>

#include "base/base64.h"
#include "ws/field_list.h"

namespace sluice::ws {
namespace {

std::string join(std::span<const std::string_view> names) {
  std::string joined;
  for (const std::string_view name : names) {
    if (!joined.empty()) joined += ", ";
    joined += name;
  }
  return joined;
}

std::unexpected<Error> bad_token(std::string message) {
  return fail(ErrorCode::Unauthenticated, std::move(message));
}

}  // namespace

Result<std::string> choose_subprotocol(const FieldValues& offered,
                                       std::span<const std::string_view> known) {
  if (offered.empty()) return std::string();
  for (const std::string_view name : list_elements(offered)) {
    if (std::ranges::find(known, name) != known.end()) return std::string(name);
  }
  return fail(ErrorCode::InvalidArgument,
              "none of the offered subprotocols is known here; known: " + join(known));
}

Result<std::optional<std::string>> bearer_token(const FieldValues& offered) {
  std::optional<std::string_view> encoded;
  for (const std::string_view name : list_elements(offered)) {
    if (!name.starts_with(kBearerSubprotocolPrefix)) continue;
    if (encoded) return bad_token("the bearer subprotocol is offered twice; offer it once");
    encoded = name.substr(kBearerSubprotocolPrefix.size());
  }
  if (!encoded) return std::nullopt;
  const std::string_view bare = encoded->substr(0, encoded->find_last_not_of('=') + 1);
  const bool padding_fits = bare.size() == encoded->size() ||
                            (encoded->size() % 4 == 0 && encoded->size() - bare.size() < 3);
  auto token = padding_fits ? base64url_decode(bare) : std::nullopt;
  if (!token || token->empty()) {
    return bad_token("the token in the bearer subprotocol is not base64url");
  }
  return token;
}

}  // namespace sluice::ws
