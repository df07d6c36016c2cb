// Authorisation by rules from the configuration: what no rule allows is forbidden.
#pragma once

#include <memory>
#include <mutex>

#include "auth/authorizer.h"
#include "auth/config.h"

namespace sluice::auth {

/// Rules ready to be asked. Immutable.
class Policy {
 public:
  /// Errors: InvalidArgument as from check(const PolicyRule&).
  static Result<Policy> from(const PolicyConfig& config);

  bool allows(const Caller& caller, workload::Verb verb, std::string_view project) const;

 private:
  struct Rule {
    bool any_subject = false;
    std::vector<std::string> users;
    std::vector<std::string> groups;
    bool any_project = false;
    std::vector<std::string> projects;
    unsigned verbs = 0;  // bit n: the Verb of value n
  };
  std::vector<Rule> rules_;
};

/// Serves all loops; replace() (at reload, any thread) takes effect for the next question.
class PolicyAuthorizer final : public Authorizer {
 public:
  explicit PolicyAuthorizer(Policy policy);

  void replace(Policy policy);
  net::Task<Result<>> authorize(const Caller& caller, workload::Verb verb,
                                std::string project) override;

 private:
  std::shared_ptr<const Policy> current() const;

  // Asked once a request, not per byte: a lock costs nothing here. The owners of a Policy are this
  // object and the questions that are being answered.
  mutable std::mutex mutex_;
  std::shared_ptr<const Policy> policy_;
};

/// Errors: InvalidArgument as from check(const PolicyRule&).
Result<std::unique_ptr<PolicyAuthorizer>> make_policy_authorizer(const PolicyConfig& config);

}  // namespace sluice::auth
