#include "auth/claims.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace sluice::auth {
namespace {

constexpr double kLastSecond = 253'402'300'799;  // the end of the year 9999

std::unexpected<Refusal> malformed(std::string why) {
  return refused(AuthenticationFailure::Malformed, std::move(why));
}

/// RFC 7519 2: seconds since 1970, perhaps with a fraction. Refused: anything before 1970, or so
/// late that it must be milliseconds. What WallTime can't hold (after 2262) becomes its last
/// moment.
std::optional<WallTime> parse_numeric_date(const json::value& value) {
  constexpr std::int64_t kLastWhole = WallTime::max().time_since_epoch() / seconds(1) - 1;
  if (const auto* whole = value.if_int64()) {
    if (*whole < 0 || static_cast<double>(*whole) > kLastSecond) return std::nullopt;
    return *whole > kLastWhole ? WallTime::max() : WallTime(seconds(*whole));
  }
  const auto* number = value.if_double();
  if (number == nullptr || !(*number >= 0) || *number > kLastSecond) return std::nullopt;
  if (*number > static_cast<double>(kLastWhole)) return WallTime::max();
  const double second = std::floor(*number);
  return WallTime(seconds(static_cast<std::int64_t>(second)) +
                  nanoseconds(static_cast<std::int64_t>((*number - second) * 1e9)));
}

/// A time claim: absent is nullopt.
Accepted<std::optional<WallTime>> time_claim(const json::object& claims, std::string_view name) {
  const json::value* value = json::find(claims, name);
  if (value == nullptr) return std::nullopt;
  const auto time = parse_numeric_date(*value);
  if (!time) return malformed(fmt::format("claim {} is not a time in seconds since 1970", name));
  return time;
}

/// `exp`, after checking all three times.
Accepted<WallTime> check_times(const json::object& claims, nanoseconds leeway, WallTime now) {
  TRY(const auto expires, time_claim(claims, "exp"));
  TRY(const auto begins, time_claim(claims, "nbf"));
  TRY(const auto issued, time_claim(claims, "iat"));
  if (!expires)
    return refused(AuthenticationFailure::Other, "token without exp: it would never expire");
  if (now >= *expires) return refused(AuthenticationFailure::Expired, "token expired");
  if (begins && *begins - leeway > now)
    return refused(AuthenticationFailure::NotYetValid, "token not yet valid");
  if (issued && *issued - leeway > now)
    return refused(AuthenticationFailure::NotYetValid, "token issued in the future");
  return *expires;
}

Accepted<> check_audience(const json::object& claims, const std::vector<std::string>& accepted) {
  if (accepted.empty()) return {};
  const auto matches = [&](const json::value& audience) {
    if (!audience.is_string()) return false;
    const auto& text = audience.get_string();
    return std::ranges::find(accepted, std::string_view(text.data(), text.size())) !=
           accepted.end();
  };
  const json::value* audience = json::find(claims, "aud");
  if (audience == nullptr)
    return refused(AuthenticationFailure::WrongAudience,
                   "token without aud: it is not for this service");
  const json::array* several = audience->if_array();
  const bool matched =
      several != nullptr ? std::ranges::any_of(*several, matches) : matches(*audience);
  if (!matched)
    return refused(AuthenticationFailure::WrongAudience, "token is for another audience");
  return {};
}

/// C0 and C1 controls and DEL: they would act on terminals and break lines of logs.
bool has_control_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return true;
  }
  return false;
}

std::optional<std::string> parse_name(const json::value& value) {
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_string();
  std::string name(text.data(), text.size());
  if (name.empty() || has_control_characters(name)) return std::nullopt;
  return name;
}

Accepted<std::string> user_claim(const json::object& claims, std::string_view name) {
  const json::value* value = json::find(claims, name);
  if (value == nullptr)
    return refused(AuthenticationFailure::Other, "token without the claim that names its user");
  auto user = parse_name(*value);
  if (!user) return malformed("the claim that names the user is not a printable, non-empty string");
  return *std::move(user);
}

/// A claim that is one string or a list of them, or absent. `purpose` is what it is asked for.
Accepted<std::vector<std::string>> names_claim(const json::object& claims, std::string_view name,
                                               std::string_view purpose) {
  const json::value* value = json::find(claims, name);
  std::vector<std::string> names;
  if (value == nullptr || value->is_null()) return names;
  json::array one;
  if (value->is_string()) one.push_back(*value);
  const json::array* entries = value->is_string() ? &one : value->if_array();
  if (entries == nullptr)
    return malformed(fmt::format("the claim that names the {} is not a list of strings", purpose));
  for (const json::value& entry : *entries) {
    auto parsed = parse_name(entry);
    if (!parsed)
      return malformed(fmt::format(
          "the claim that names the {} has an entry that is not a printable, non-empty string",
          purpose));
    names.push_back(*std::move(parsed));
  }
  return names;
}

Accepted<> add_extras(const json::object& claims, const ClaimNames& names, Caller& caller) {
  for (const auto& [key, claim] : names.extras) {
    TRY(std::vector<std::string> values, names_claim(claims, claim, "extra " + key));
    for (std::string& value : values) caller.extras.emplace_back(key, std::move(value));
  }
  return {};
}

}  // namespace

Accepted<Caller> check_claims(const json::object& claims, const ClaimRules& rules, WallTime now) {
  if (json::find_string(claims, "iss") != rules.issuer)
    return refused(AuthenticationFailure::UnknownIssuer, "unknown issuer");
  // What only tokens of another kind have (RFC 8725 3.12): a security event's, such as a logout
  // (RFC 8417 2.2), whose `typ` often doesn't tell.
  if (json::find(claims, "events") != nullptr)
    return refused(AuthenticationFailure::Other, "a security event is no access token");
  TRY(const WallTime expires_at, check_times(claims, rules.leeway, now));
  TRY_VOID(check_audience(claims, rules.audiences));
  TRY(std::string user, user_claim(claims, rules.names.user));
  TRY(std::vector<std::string> groups, names_claim(claims, rules.names.groups, "groups"));
  Caller caller{std::move(user), std::move(groups), expires_at, {}};
  TRY_VOID(add_extras(claims, rules.names, caller));
  return caller;
}

}  // namespace sluice::auth
