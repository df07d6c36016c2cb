// AccessReviewAuthorizer: the cluster's RBAC decides what callers may do. In either way of acting
// the question is put to the API server before anything else of the request is looked at, so that a
// caller without permission can't tell what exists.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "auth/authorizer.h"
#include "backend/kubernetes/api/access_review.h"
#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/api/impersonation.h"

namespace sluice::backend::kubernetes {

/// Whom an API request is made as for this caller; nullopt: as ourselves.
std::optional<Impersonation> impersonation_of(const auth::Caller& caller, ActingAs acting_as);

class AccessReviewAuthorizer final : public auth::Authorizer {
 public:
  /// An answer holds for so long, as in Kubernetes's own delegating authorizers
  /// (kubernetes/apiserver pkg/authorization/authorizerfactory).
  static constexpr nanoseconds kAnswerLifetime = seconds(10);
  /// Answers that are kept at most.
  static constexpr std::size_t kMaxAnswers = 10'000;

  /// The namespace that a project has, or would have: what does not exist is asked for, too.
  using NamespaceOf = std::function<std::string(std::string_view project)>;

  /// References outlive it.
  AccessReviewAuthorizer(ApiClient& client, ActingAs acting_as, NamespaceOf namespace_of,
                         Clock& clock);

  /// Any loop. Errors: PermissionDenied; Unavailable: the cluster does not answer.
  net::Task<Result<>> authorize(const auth::Caller& caller, workload::Verb verb,
                                std::string project) override;
  /// The same of a namespace itself, where the API server won't see the caller. Errors: as
  /// authorize().
  net::Task<Result<>> authorize_in(const auth::Caller& caller, workload::Verb verb,
                                   std::string namespace_name);

 private:
  struct Answer {
    bool allowed = false;
    MonotonicTime until;
  };
  net::Task<Result<bool>> may(const auth::Caller& caller, workload::Verb verb,
                              std::string namespace_name);
  net::Task<Result<bool>> ask(const auth::Caller& caller, workload::Verb verb,
                              std::string namespace_name);
  std::optional<bool> remembered(const std::string& question);
  void remember(std::string question, bool allowed);

  ApiClient& client_;
  ActingAs acting_as_;
  NamespaceOf namespace_of_;
  Clock& clock_;
  // Asked once a request, not per byte: a lock costs nothing here.
  std::mutex mutex_;
  std::unordered_map<std::string, Answer> answers_;
};

}  // namespace sluice::backend::kubernetes
