// The question "may this caller do this verb in this project?". Implementations: PolicyAuthorizer
// here; one by SubjectAccessReview belongs to the Kubernetes backend.
#pragma once

#include <string>

#include "auth/caller.h"
#include "net/task.h"
#include "workload/verb.h"

namespace sluice::auth {

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  /// Errors: PermissionDenied, naming user, verb and project; Unavailable when nobody can tell.
  virtual net::Task<Result<>> authorize(const Caller& caller, workload::Verb verb,
                                        std::string project) = 0;
};

}  // namespace sluice::auth
