// Access reviews: the API server's own answer to "may this user do that?"
// (authorization.k8s.io/v1). The bodies as text, without I/O; access_review_authorizer.h asks. A
// permission is asked for exactly the call that follows, never inferred from another.
#pragma once

#include <string>
#include <string_view>

#include "auth/caller.h"
#include "base/result.h"
#include "workload/verb.h"

namespace sluice::backend::kubernetes {

/// What an RBAC rule must allow for a Verb. For streams Kubernetes asks for "create" since 1.35,
/// whatever the method (kubernetes pkg/registry/core/pod/rest/authorize.go).
struct ResourceAccess {
  std::string_view verb;
  std::string_view group;  // "": the core group
  std::string_view resource;
  std::string_view subresource;  // may be empty
};
/// "create pods/exec".
std::string to_string(const ResourceAccess& access);
ResourceAccess access_for(workload::Verb verb);

/// Asked by ourselves about the caller.
std::string subject_access_review(const auth::Caller& caller, const ResourceAccess& access,
                                  std::string_view namespace_name);
/// Asked as the one it is about: ourselves, or a caller whom we impersonate.
std::string self_subject_access_review(const ResourceAccess& access,
                                       std::string_view namespace_name);

/// Asked as ourselves: all rules that apply to us.
std::string self_subject_rules_review();

struct ReviewAnswer {
  bool allowed = false;
  std::string reason;  // of the authorizer, for the log; may be empty
};
/// Errors: Unavailable: the answer is none.
Result<ReviewAnswer> parse_review(std::string_view json);
/// Whether a rules review's answer has a rule that lets us impersonate `resource` ("users"), be it
/// some of them only, by name or by constraint. Errors: as parse_review().
Result<bool> parse_may_impersonate(std::string_view json, std::string_view resource);

}  // namespace sluice::backend::kubernetes
