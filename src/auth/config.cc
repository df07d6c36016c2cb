#include "auth/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "auth/development_issuer.h"
#include "auth/jwk_set_source.h"
#include "auth/key_url.h"
#include "base/text.h"
#include "workload/verb.h"

namespace sluice::auth {
namespace {

constexpr nanoseconds kMaxLeeway = std::chrono::minutes(10);
constexpr nanoseconds kMinRefresh = seconds(1);

std::unexpected<Error> invalid(std::string why) {
  return fail(ErrorCode::InvalidArgument, std::move(why));
}

/// Keys of extras become part of a field name, Impersonate-Extra-KEY, in lower case.
Result<> check_extra(std::string_view key, std::string_view claim) {
  const bool lower = std::ranges::none_of(key, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!key.empty() && lower && !claim.empty()) return {};
  return invalid(
      fmt::format("claims.extras: \"{}\": a key must be in lower case and name a claim", key));
}

bool has_empty(const std::vector<std::string>& list) {
  return std::ranges::any_of(list, &std::string::empty);
}

}  // namespace

Result<> check_subject(std::string_view subject) {
  const bool named = (subject.starts_with("user:") && subject.size() > 5) ||
                     (subject.starts_with("group:") && subject.size() > 6);
  if (named || subject == "*") return {};
  return invalid(
      fmt::format("subject \"{}\" is not of the form user:NAME, group:NAME or *", subject));
}

Result<> check_verb(std::string_view verb) {
  if (verb == "*" || workload::parse_verb(verb)) return {};
  return invalid(fmt::format(
      "unknown verb \"{}\"; there are status, logs, exec, attach, port-forward and *", verb));
}

Result<> check_project(std::string_view project) {
  if (project == "*" || is_dns_label(project)) return {};
  return invalid(fmt::format("\"{}\" is not the name of a project (RFC 1123 label) or *", project));
}

Result<> check_key_url(std::string_view url) {
  constexpr std::string_view kHttp = "http://";
  if (url.starts_with("https://") && url.size() > 8 && url[8] != '/') return {};
  if (url.starts_with(kHttp)) {
    const std::string_view rest = url.substr(kHttp.size());
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    for (const std::string_view host : {"127.0.0.1", "[::1]", "localhost"}) {
      if (!authority.starts_with(host)) continue;
      const std::string_view port = authority.substr(host.size());
      if (port.empty() || (port[0] == ':' && parse_int64(port.substr(1)))) return {};
    }
  }
  return invalid(
      fmt::format("keys can't be fetched from \"{}\": use an https URL, or http on 127.0.0.1, "
                  "[::1] or localhost",
                  url));
}

Result<> check(const IssuerConfig& issuer) {
  if (issuer.issuer.empty()) return invalid("an issuer needs a name: what its tokens have as iss");
  if (issuer.issuer == kDevelopmentIssuer) {
    return invalid(fmt::format("{} is the development issuer; enable that instead", issuer.issuer));
  }
  if (!issuer.jwks_file.empty() && !issuer.jwks_uri.empty()) {
    return invalid("jwksFile and jwksUri are both given; give one, or none for OIDC discovery");
  }
  if (issuer.claims.user.empty() || issuer.claims.groups.empty()) {
    return invalid("the name of a claim is empty");
  }
  for (const auto& [key, claim] : issuer.claims.extras) TRY_VOID(check_extra(key, claim));
  if (has_empty(issuer.audiences)) return invalid("an audience is empty");
  if (!issuer.jwks_file.empty()) return {};
  return check_key_url(issuer.jwks_uri.empty() ? issuer.issuer : issuer.jwks_uri);
}

Result<> check(const PolicyRule& rule) {
  if (rule.subjects.empty() || rule.projects.empty() || rule.verbs.empty()) {
    return invalid("a rule needs subjects, projects and verbs, each with at least one entry");
  }
  for (const std::string& subject : rule.subjects) TRY_VOID(check_subject(subject));
  for (const std::string& verb : rule.verbs) TRY_VOID(check_verb(verb));
  for (const std::string& project : rule.projects) TRY_VOID(check_project(project));
  return {};
}

Result<> check(const AuthConfig& config) {
  if (config.issuers.empty() && !config.development.enabled) {
    return invalid("no issuer of tokens: add one to auth.issuers, or enable auth.development");
  }
  if (config.leeway < nanoseconds(0) || config.leeway > kMaxLeeway) {
    return invalid("the leeway must be between 0s and 10m");
  }
  if (config.jwks_refresh < kMinRefresh) return invalid("jwksRefresh must be at least 1s");
  for (auto issuer = config.issuers.begin(); issuer != config.issuers.end(); ++issuer) {
    TRY_VOID(check(*issuer));
    if (std::ranges::count(config.issuers, issuer->issuer, &IssuerConfig::issuer) > 1) {
      return invalid(fmt::format("issuer \"{}\" is given twice", issuer->issuer));
    }
    if (issuer->jwks_file.empty()) continue;
    auto keys = read_jwk_set_file(issuer->jwks_file);
    if (!keys) return invalid(keys.error().message);
  }
  if (config.development.enabled) return DevelopmentIssuer::check(config.development.state_dir);
  return {};
}

}  // namespace sluice::auth
