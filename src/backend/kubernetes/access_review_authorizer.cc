#include "backend/kubernetes/access_review_authorizer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

/// Names of the cluster's own: no token of an issuer outside it may claim one.
bool is_reserved(std::string_view name) { return name.starts_with("system:"); }

bool claims_reserved_name(const auth::Caller& caller) {
  return is_reserved(caller.user) || std::ranges::any_of(caller.groups, is_reserved);
}

/// All that an answer depends on, as one key. NUL can't occur in any part (auth/claims.cc refuses
/// control characters).
std::string question_of(const auth::Caller& caller, workload::Verb verb,
                        std::string_view namespace_name) {
  std::string question =
      fmt::format("{}{}{}{}{}", to_string(verb), '\0', namespace_name, '\0', caller.user);
  for (const std::string& group : caller.groups) question.append(1, '\0').append(group);
  question.append(2, '\0');
  for (const auto& [key, value] : caller.extras) {
    question.append(key).append(1, '\0').append(value).append(1, '\0');
  }
  return question;
}

Error denied(const auth::Caller& caller, workload::Verb verb, std::string_view project) {
  return Error{ErrorCode::PermissionDenied,
               fmt::format("user \"{}\" may not use {} in project \"{}\"", caller.user,
                           to_string(verb), project),
               {},
               {},
               {}};
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
  std::string namespace_name = namespace_of_(project);
  std::string question = question_of(caller, verb, namespace_name);
  std::optional<bool> allowed = remembered(question);
  if (!allowed) {
    CO_TRY(allowed, co_await ask(caller, verb, std::move(namespace_name)));
    remember(std::move(question), *allowed);
  }
  if (!*allowed) co_return fail(denied(caller, verb, project));
  co_return Result<>{};
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
  const bool request_is_impersonated = request.as.has_value();
  CO_TRY(const http::Response response, co_await client_.request(std::move(request)));
  if (response.head.status / 100 != 2) {
    const Error error = error_of(response);
    log(LogLevel::Warning, "the cluster refused to review an access", error);
    // A gateway may be allowed to impersonate some and not others: those may do nothing.
    if (request_is_impersonated && error.code == ErrorCode::PermissionDenied) co_return false;
    co_return fail(Error{ErrorCode::Unavailable,
                         "the cluster did not say whether this is allowed",
                         {},
                         error.message,
                         std::chrono::seconds(5)});
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
