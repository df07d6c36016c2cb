#include "backend/kubernetes/api/access_review_authorizer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "backend/kubernetes/api/readiness.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

/// Names of the cluster's own: no token of an issuer outside it may claim one.
bool is_reserved(std::string_view name) { return name.starts_with("system:"); }

bool claims_reserved_name(const auth::Caller& caller) {
  return is_reserved(caller.user) || std::ranges::any_of(caller.groups, is_reserved);
}

/// `place`: what the caller asked for: project "p", or a namespace.
Error denied(const auth::Caller& caller, workload::Verb verb, std::string_view place) {
  return Error{.code = ErrorCode::PermissionDenied,
               .message = fmt::format("user \"{}\" may not use {} in {}", caller.user,
                                      to_string(verb), place)};
}

Error undecided(std::string cause) {
  return Error{.code = ErrorCode::Unavailable,
               .message = "the cluster did not say whether this is allowed",
               .cause = std::move(cause),
               .retry_after = std::chrono::seconds(5)};
}

constexpr std::string_view kReviews = "/apis/authorization.k8s.io/v1/";

}  // namespace

std::optional<Impersonation> impersonation_of(const auth::Caller& caller, ActingAs acting_as) {
  if (acting_as == ActingAs::Gateway) return std::nullopt;
  return Impersonation{caller.user, {}, caller.groups, caller.extras};
}

AccessReviewAuthorizer::AccessReviewAuthorizer(ApiClient& client, ActingAs acting_as,
                                               NamespaceOf namespace_of, Clock& clock)
    : client_(client),
      acting_as_(acting_as),
      namespace_of_(std::move(namespace_of)),
      clock_(clock) {}

net::Task<Result<>> AccessReviewAuthorizer::authorize(const auth::Caller& caller,
                                                      workload::Verb verb, std::string project) {
  if (claims_reserved_name(caller)) {
    co_return fail(ErrorCode::PermissionDenied,
                   "names that begin with \"system:\" are the cluster's own: no user or group of a "
                   "token may have one");
  }
  CO_TRY(const bool allowed, co_await may(caller, verb, namespace_of_(project)));
  if (!allowed) co_return fail(denied(caller, verb, fmt::format("project \"{}\"", project)));
  co_return Result<>{};
}

net::Task<Result<>> AccessReviewAuthorizer::authorize_in(const auth::Caller& caller,
                                                         workload::Verb verb,
                                                         std::string namespace_name) {
  CO_TRY(const bool allowed, co_await may(caller, verb, namespace_name));
  if (!allowed) {
    co_return fail(denied(caller, verb, fmt::format("namespace \"{}\"", namespace_name)));
  }
  co_return Result<>{};
}

net::Task<Result<bool>> AccessReviewAuthorizer::may(const auth::Caller& caller, workload::Verb verb,
                                                    std::string namespace_name) {
  // The review's own text is all that the answer depends on, whichever way it is asked.
  std::string question = subject_access_review(caller, access_for(verb), namespace_name);
  std::optional<bool> allowed = remembered(question);
  if (!allowed) {
    CO_TRY(allowed, co_await ask(caller, verb, std::move(namespace_name)));
    if (!*allowed) {
      CO_TRY_VOID(co_await check_ready(client_));
    }
    remember(std::move(question), *allowed);
  }
  co_return *allowed;
}

net::Task<Result<bool>> AccessReviewAuthorizer::ask(const auth::Caller& caller, workload::Verb verb,
                                                    std::string namespace_name) {
  const ResourceAccess access = access_for(verb);
  ApiRequest request;
  request.method = "POST";
  request.as = impersonation_of(caller, acting_as_);
  request.path = kReviews;
  if (request.as) {
    request.path += "selfsubjectaccessreviews";
    request.body = self_subject_access_review(access, namespace_name);
  } else {
    request.path += "subjectaccessreviews";
    request.body = subject_access_review(caller, access, namespace_name);
  }
  const bool is_impersonated = request.as.has_value();
  Result<http::Response> answered = co_await client_.request(std::move(request));
  // A name that can't be sent is one that the cluster gives no permission to.
  if (!answered && answered.error().code == ErrorCode::InvalidArgument) {
    answered.error().code = ErrorCode::PermissionDenied;
  }
  CO_TRY(const http::Response response, std::move(answered));
  if (response.head.status / 100 != 2) {
    const Error error = error_of(response);
    log(LogLevel::Warning, "the cluster refused to review an access", error);
    // A gateway may be allowed to impersonate some and not others: those may do nothing.
    if (is_impersonated && error.code == ErrorCode::PermissionDenied) co_return false;
    co_return fail(undecided(error.message));
  }
  CO_TRY(const ReviewAnswer answer, parse_review(response.body));
  co_return answer.allowed;
}

std::optional<bool> AccessReviewAuthorizer::remembered(const std::string& question) {
  const std::scoped_lock lock(mutex_);
  const auto found = answers_.find(question);
  if (found == answers_.end() || found->second.until <= clock_.now()) return std::nullopt;
  return found->second.allowed;
}

void AccessReviewAuthorizer::remember(std::string question, bool allowed) {
  const MonotonicTime now = clock_.now();
  const std::scoped_lock lock(mutex_);
  if (answers_.size() >= kMaxAnswers) {
    std::erase_if(answers_, [now](const auto& entry) { return entry.second.until <= now; });
  }
  // Still full of answers that hold: forgetting them costs a question each, growing costs memory.
  if (answers_.size() >= kMaxAnswers) answers_.clear();
  answers_.insert_or_assign(std::move(question), Answer{allowed, now + kAnswerLifetime});
}

}  // namespace sluice::backend::kubernetes
