// What an operator says about tokens and permissions (the `auth` and `authorization` sections of
// the configuration), already typed. sluiced fills it from YAML; make_token_verifier()
// (jwt_verifier.h) and PolicyAuthorizer (policy.h) are made from it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace sluice::auth {

/// Which claim says what. Names are taken literally: "realm_access.roles" is one name, not a path.
struct ClaimNames {
  std::string user = "sub";
  std::string groups = "groups";  // a string or a list of strings; may be absent in a token
  /// Key of a Caller's extra, and the claim it comes from: as groups.
  std::vector<std::pair<std::string, std::string>> extras;
};

/// One issuer that tokens are accepted from, and where its keys are.
struct IssuerConfig {
  std::string issuer;                  // compared with `iss` byte by byte
  std::vector<std::string> audiences;  // one must be in `aud`; empty: `aud` isn't looked at
  std::string jwks_file;               // a path, or
  std::string jwks_uri;                // a URL, or both empty: OpenID Connect discovery
  ClaimNames claims;
};

/// The issuer `sluice-development`, whose key is made in `state_dir` (development_issuer.h).
struct DevelopmentIssuerConfig {
  bool enabled = false;
  std::string state_dir;
};

struct AuthConfig {
  std::vector<IssuerConfig> issuers;
  DevelopmentIssuerConfig development;
  nanoseconds leeway = seconds(30);  // clock difference allowed for `nbf` and `iat`, never `exp`
  nanoseconds jwks_refresh = seconds(600);  // how often keys from URLs are fetched again
};

/// "These subjects may do these verbs in these projects." "*" stands for all, in each.
struct PolicyRule {
  std::vector<std::string> subjects;  // "user:alice", "group:ml"
  std::vector<std::string> projects;
  std::vector<std::string> verbs;  // as workload::to_string(Verb) writes them
};

struct PolicyConfig {
  std::vector<PolicyRule> rules;
};

/// Whether one issuer or rule makes sense by itself. Errors: InvalidArgument, whose message says
/// which value is wrong and what would be right, for the loader to put file and line before.
Result<> check(const IssuerConfig& issuer);
Result<> check(const PolicyRule& rule);
/// Whether one entry of a rule is right. Errors: as check().
Result<> check_subject(std::string_view subject);
Result<> check_project(std::string_view project);
Result<> check_verb(std::string_view verb);
/// check() of all parts, no issuer twice, every key file readable and fit (the development key only
/// if it is there). Makes and fetches nothing: for `sluiced --check`.
Result<> check(const AuthConfig& config);

}  // namespace sluice::auth
