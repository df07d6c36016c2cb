#include "backend/kubernetes/self_check.h"

#include <utility>

#include "backend/kubernetes/api/readiness.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {

std::vector<Requirement> requirements(ActingAs acting_as) {
  std::vector<Requirement> needed = {
      {"workloads", {"list", "", "namespaces", ""}},
      {"workloads", {"watch", "", "namespaces", ""}},
      {"workloads", {"list", "", "pods", ""}},
      {"workloads", {"watch", "", "pods", ""}},
  };
  if (acting_as == ActingAs::Caller) {
    needed.push_back({"impersonation", {"impersonate", "", "users", ""}});
    needed.push_back({"impersonation", {"impersonate", "", "groups", ""}});
  } else {
    needed.push_back({"logs", {"get", "", "pods", "log"}});
    // "get" is the request's method, "create" what 1.35 and later ask for besides.
    constexpr std::pair<std::string_view, std::string_view> kStreams[] = {
        {"exec", "exec"}, {"attach", "attach"}, {"portForward", "portforward"}};
    for (const auto& [feature, subresource] : kStreams) {
      needed.push_back({feature, {"get", "", "pods", subresource}});
      needed.push_back({feature, {"create", "", "pods", subresource}});
    }
    needed.push_back(
        {"accessReviews", {"create", "authorization.k8s.io", "subjectaccessreviews", ""}});
  }
  return needed;
}

SelfCheck::SelfCheck(ApiClient& client, ActingAs acting_as, net::Executor loop, net::Timers& timers)
    : client_(client),
      requirements_(requirements(acting_as)),
      timers_(timers),
      result_(std::make_shared<SelfCheckResult>()),
      tasks_(loop) {}

void SelfCheck::start() { tasks_.spawn("self check", repeat()); }

net::Task<> SelfCheck::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

std::shared_ptr<const SelfCheckResult> SelfCheck::result() const {
  const std::scoped_lock lock(mutex_);
  return result_;
}

net::Task<> SelfCheck::repeat() {
  while (true) {
    Result<SelfCheckResult> found = co_await examine();
    if (found) {
      publish(*std::move(found));
    } else if (found.error().code == ErrorCode::Cancelled) {
      co_return;
    } else {
      log(LogLevel::Warning, "the API server can't be asked", found.error());
      reviewed_.reset();
      SelfCheckResult unreachable = *result();  // its version and what was lacking stay known
      unreachable.reachable = false;
      unreachable.problem = found.error().message;
      publish(std::move(unreachable));
    }
    const Result<> slept = co_await timers_.sleep_for(kProbeInterval);
    if (!slept) co_return;
  }
}

net::Task<Result<SelfCheckResult>> SelfCheck::examine() {
  SelfCheckResult found = *result();
  found.reachable = true;
  found.problem.clear();
  CO_TRY(found.version, co_await ask_version());
  if (!reviewed_ || timers_.now() - *reviewed_ >= kReviewInterval) {
    CO_TRY_VOID(co_await review(found));
    reviewed_ = timers_.now();
  }
  co_return found;
}

net::Task<Result<>> SelfCheck::review(SelfCheckResult& found) {
  found.lacking.clear();
  for (const Requirement& requirement : requirements_) {
    CO_TRY(const bool allowed, co_await may(requirement.access));
    if (!allowed) found.lacking.push_back(requirement);
  }
  if (found.lacking.empty()) co_return Result<>{};
  CO_TRY_VOID(co_await check_ready(client_));
  for (const Requirement& requirement : found.lacking) {
    log(LogLevel::Warning, "the gateway lacks a permission in the cluster",
        {{"feature", requirement.feature}, {"permission", to_string(requirement.access)}});
  }
  co_return Result<>{};
}

net::Task<Result<std::string>> SelfCheck::ask_version() {
  ApiRequest request;
  request.path = "/version";
  const Result<json::value> document = co_await client_.get_json(std::move(request));
  if (!document) {
    const Error refusal = co_await judge_refusal(client_, document.error());
    co_return fail(refusal);
  }
  const json::object* object = document->if_object();
  co_return std::string(object != nullptr ? json::find_string(*object, "gitVersion").value_or("")
                                          : "");
}

net::Task<Result<bool>> SelfCheck::may(ResourceAccess access) {
  std::string review = self_subject_access_review(access, {});
  CO_TRY(const std::optional<std::string> body,
         co_await post_review("selfsubjectaccessreviews", std::move(review)));
  if (!body) co_return true;
  CO_TRY(const ReviewAnswer answer, parse_review(*body));
  if (answer.allowed || access.verb != "impersonate") co_return answer.allowed;
  co_return co_await may_impersonate_some(access.resource);
}

/// Where the permission is narrowed to names, a question that gives none is denied.
net::Task<Result<bool>> SelfCheck::may_impersonate_some(std::string_view resource) {
  std::string review = self_subject_rules_review();
  CO_TRY(const std::optional<std::string> body,
         co_await post_review("selfsubjectrulesreviews", std::move(review)));
  if (!body) co_return true;
  co_return parse_may_impersonate(*body, resource);
}

/// The server's answer; nullopt: it answers, but not this. What can't be asked is not known to be
/// lacking.
net::Task<Result<std::optional<std::string>>> SelfCheck::post_review(std::string_view plural,
                                                                     std::string body) {
  ApiRequest request;
  request.method = "POST";
  request.path = "/apis/authorization.k8s.io/v1/";
  request.path += plural;
  request.body = std::move(body);
  CO_TRY(http::Response response, co_await client_.request(std::move(request)));
  if (response.head.status / 100 == 2) co_return std::move(response.body);
  Error refusal = error_of(response);
  const Error error = co_await judge_refusal(client_, std::move(refusal));
  if (error.code == ErrorCode::Unavailable) co_return fail(error);
  log(LogLevel::Warning, "the gateway may not ask what it may do", error);
  co_return std::nullopt;
}

void SelfCheck::publish(SelfCheckResult result) {
  std::shared_ptr<const SelfCheckResult> next =
      std::make_shared<SelfCheckResult>(std::move(result));
  const std::scoped_lock lock(mutex_);
  result_.swap(next);
}

}  // namespace sluice::backend::kubernetes
