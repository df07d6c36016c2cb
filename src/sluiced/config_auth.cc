// The sections `auth` and `authorization`.
#include <fmt/format.h>

#include "sluiced/config.h"

namespace sluice::sluiced {
namespace {

using backend::kubernetes::ActingAs;
using backend::kubernetes::KubernetesConfig;
using yaml::Mapping;
using yaml::Value;

enum class Mode { Policy, Impersonate, SubjectAccessReview };

constexpr std::string_view kModes[] = {"policy", "impersonate", "subject-access-review"};

/// Whether a text is right. Errors: InvalidArgument.
using CheckText = Result<> (*)(std::string_view text);

Result<> check_not_empty(std::string_view text) {
  if (!text.empty()) return {};
  return fail(ErrorCode::InvalidArgument, "expected a name, got \"\"");
}

Result<std::string> read_text(const Value& value, CheckText check) {
  TRY(std::string text, value.as_string());
  if (const Result<> checked = check(text); !checked) {
    return fail(value.error(checked.error().message));
  }
  return text;
}

/// One text or a list of them; an error is at the entry.
Result<std::vector<std::string>> read_texts(const Value& value, CheckText check) {
  TRY(const std::vector<Value> items, value.as_items());
  std::vector<std::string> texts;
  for (const Value& item : items) {
    TRY(std::string text, read_text(item, check));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<> take_name(Mapping& map, std::string_view key, std::string& out) {
  if (const std::optional<Value> value = map.take(key)) {
    TRY(out, read_text(*value, check_not_empty));
  }
  return {};
}

Result<auth::ClaimNames> read_claims(const Value& section) {
  auth::ClaimNames claims;
  TRY(Mapping map, section.as_mapping());
  TRY_VOID(take_name(map, "user", claims.user));
  TRY_VOID(take_name(map, "groups", claims.groups));
  if (const auto value = map.take("extras")) {
    TRY(Mapping extras, value->as_mapping());
    for (const auto& [key, claim] : extras.take_rest()) {
      TRY(std::string name, claim.as_string());
      claims.extras.emplace_back(key, std::move(name));
    }
  }
  TRY_VOID(map.finish());
  return claims;
}

Result<auth::IssuerConfig> read_issuer(const Value& item, Config& config) {
  auth::IssuerConfig issuer;
  TRY(Mapping map, item.as_mapping());
  TRY_VOID(take_name(map, "issuer", issuer.issuer));
  if (const auto value = map.take("audiences")) {
    TRY(issuer.audiences, read_texts(*value, check_not_empty));
  }
  if (const auto value = map.take("jwksFile")) {
    TRY(issuer.jwks_file, read_named_file(*value, config));
  }
  TRY_VOID(take_name(map, "jwksUri", issuer.jwks_uri));
  if (const auto value = map.take("claims")) {
    TRY(issuer.claims, read_claims(*value));
  }
  TRY_VOID(map.finish());
  TRY(const Value name, map.require("issuer"));
  if (const auto checked = auth::check(issuer); !checked) {
    // What is left to be wrong is where the keys come from.
    return fail(map.take("jwksUri").value_or(name).error(checked.error().message));
  }
  return issuer;
}

Result<> read_issuers(const Value& list, Config& config, std::vector<auth::IssuerConfig>& issuers) {
  TRY(const std::vector<Value> items, list.as_list());
  for (const Value& item : items) {
    TRY(auth::IssuerConfig issuer, read_issuer(item, config));
    for (const auth::IssuerConfig& other : issuers) {
      if (other.issuer != issuer.issuer) continue;
      return fail(item.error(fmt::format("issuer \"{}\" is given twice", issuer.issuer)));
    }
    issuers.push_back(std::move(issuer));
  }
  return {};
}

Result<bool> read_development(const Value& section) {
  TRY(Mapping map, section.as_mapping());
  TRY(const Value enabled, map.require("enabled"));
  TRY_VOID(map.finish());
  return enabled.as_bool();
}

Result<auth::PolicyRule> read_rule(const Value& item) {
  auth::PolicyRule rule;
  TRY(Mapping map, item.as_mapping());
  TRY(const Value subjects, map.require("subjects"));
  TRY(const Value projects, map.require("projects"));
  TRY(const Value verbs, map.require("verbs"));
  TRY_VOID(map.finish());
  TRY(rule.subjects, read_texts(subjects, auth::check_subject));
  TRY(rule.projects, read_texts(projects, auth::check_project));
  TRY(rule.verbs, read_texts(verbs, auth::check_verb));
  if (const auto checked = auth::check(rule); !checked) {
    return fail(item.error(checked.error().message));
  }
  return rule;
}

Result<Mode> read_mode(const std::optional<Value>& value, const KubernetesConfig* kubernetes) {
  if (!value) return kubernetes != nullptr ? Mode::Impersonate : Mode::Policy;
  TRY(const std::size_t choice, read_choice(*value, kModes));
  const auto mode = static_cast<Mode>(choice);
  if (kubernetes == nullptr && mode != Mode::Policy) {
    return fail(value->error(
        fmt::format("{} asks a Kubernetes cluster, and backend.kind is local; use policy with "
                    "rules",
                    kModes[choice])));
  }
  return mode;
}

}  // namespace

Result<auth::PolicyConfig> read_rules(const Value& list) {
  auth::PolicyConfig policy;
  TRY(const std::vector<Value> items, list.as_list());
  for (const Value& item : items) {
    TRY(auth::PolicyRule rule, read_rule(item));
    policy.rules.push_back(std::move(rule));
  }
  return policy;
}

Result<> read_auth(const Value& section, Config& owner) {
  auth::AuthConfig& config = owner.auth;
  TRY(Mapping map, section.as_mapping());
  if (const auto list = map.take("issuers")) {
    TRY_VOID(read_issuers(*list, owner, config.issuers));
  }
  if (const auto development = map.take("development")) {
    TRY(config.development.enabled, read_development(*development));
  }
  if (const auto value = map.take("leeway")) {
    TRY(config.leeway, value->as_duration());
  }
  if (const auto value = map.take("jwksRefresh")) {
    TRY(config.jwks_refresh, value->as_duration());
    if (config.jwks_refresh < seconds(1)) return fail(value->error("expected at least 1s"));
  }
  TRY_VOID(map.finish());
  if (config.issuers.empty() && !config.development.enabled) {
    return fail(
        section.error("no issuer, so no token could be valid; give issuers, or on loopback "
                      "development: {enabled: true}"));
  }
  return {};
}

Result<> read_authorization(const Value& section, Config& config) {
  auto* const kubernetes = std::get_if<KubernetesConfig>(&config.backend);
  TRY(Mapping map, section.as_mapping());
  const std::optional<Value> mode_value = map.take("mode");
  const std::optional<Value> rules = map.take("rules");
  TRY_VOID(map.finish());
  TRY(const Mode mode, read_mode(mode_value, kubernetes));
  if (mode == Mode::Policy) {
    TRY(const Value list, map.require("rules"));
    TRY(config.policy, read_rules(list));
    if (kubernetes != nullptr) kubernetes->acting_as = ActingAs::Gateway;
    return {};
  }
  if (rules) {
    return fail(
        rules->error(fmt::format("the cluster's RBAC decides in mode {}: rules are for "
                                 "mode policy",
                                 kModes[static_cast<std::size_t>(mode)])));
  }
  kubernetes->acting_as = mode == Mode::Impersonate ? ActingAs::Caller : ActingAs::Gateway;
  return {};
}

}  // namespace sluice::sluiced
