#include "auth/policy.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sluice::auth {
namespace {

using workload::Verb;

constexpr unsigned kAllVerbs = ~0U;

unsigned bit_of(Verb verb) { return 1U << std::to_underlying(verb); }

bool contains(const std::vector<std::string>& list, std::string_view entry) {
  return std::ranges::find(list, entry) != list.end();
}

}  // namespace

Result<Policy> Policy::from(const PolicyConfig& config) {
  Policy policy;
  for (const PolicyRule& from : config.rules) {
    TRY_VOID(check(from));
    Rule rule;
    for (const std::string& subject : from.subjects) {
      if (subject == "*")
        rule.any_subject = true;
      else if (subject.starts_with("user:"))
        rule.users.push_back(subject.substr(5));
      else
        rule.groups.push_back(subject.substr(6));
    }
    for (const std::string& verb : from.verbs) {
      rule.verbs |= verb == "*" ? kAllVerbs : bit_of(*workload::parse_verb(verb));
    }
    rule.any_project = contains(from.projects, "*");
    rule.projects = from.projects;
    policy.rules_.push_back(std::move(rule));
  }
  return policy;
}

bool Policy::allows(const Caller& caller, Verb verb, std::string_view project) const {
  return std::ranges::any_of(rules_, [&](const Rule& rule) {
    const auto in_rule = [&](const std::string& group) { return contains(rule.groups, group); };
    return (rule.verbs & bit_of(verb)) != 0 &&
           (rule.any_project || contains(rule.projects, project)) &&
           (rule.any_subject || contains(rule.users, caller.user) ||
            std::ranges::any_of(caller.groups, in_rule));
  });
}

PolicyAuthorizer::PolicyAuthorizer(Policy policy)
    : policy_(std::make_shared<const Policy>(std::move(policy))) {}

void PolicyAuthorizer::replace(Policy policy) {
  auto next = std::make_shared<const Policy>(std::move(policy));
  const std::lock_guard lock(mutex_);
  policy_.swap(next);
}

net::Task<Result<>> PolicyAuthorizer::authorize(const Caller& caller, Verb verb,
                                                std::string project) {
  if (current()->allows(caller, verb, project)) co_return Result<>{};
  co_return fail(ErrorCode::PermissionDenied,
                 fmt::format("user \"{}\" may not use {} in project \"{}\"", caller.user,
                             workload::to_string(verb), project));
}

std::shared_ptr<const Policy> PolicyAuthorizer::current() const {
  const std::lock_guard lock(mutex_);
  return policy_;
}

Result<std::unique_ptr<PolicyAuthorizer>> make_policy_authorizer(const PolicyConfig& config) {
  TRY(Policy policy, Policy::from(config));
  return std::make_unique<PolicyAuthorizer>(std::move(policy));
}

}  // namespace sluice::auth
