// SelfCheck: whether the API server answers, and what the gateway itself may do in the cluster:
// asked again and again, so that both show in the cluster status before a user meets them.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/kubernetes/api/access_review.h"
#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/api/impersonation.h"
#include "net/task_group.h"

namespace sluice::backend::kubernetes {

/// A permission that a feature needs, and whether we have it.
struct Requirement {
  std::string_view feature;  // "exec"; as the cluster status calls it
  ResourceAccess access;
};
/// What is needed where callers are impersonated, or where we act ourselves.
std::vector<Requirement> requirements(ActingAs acting_as);

/// What was found the last time. Immutable.
struct SelfCheckResult {
  bool reachable = false;
  std::string problem;  // why not; empty at the very start, before anything was asked
  std::string version;  // of the API server: "v1.34.1"; stays known when it is not reachable
  std::vector<Requirement> lacking;

  /// Something was asked by now.
  bool is_known() const { return reachable || !problem.empty(); }
};

class SelfCheck {
 public:
  /// How often it looks whether the API server answers.
  static constexpr nanoseconds kProbeInterval = seconds(5);
  /// How often it asks for all permissions.
  static constexpr nanoseconds kReviewInterval = std::chrono::minutes(3);

  /// `loop` is the one that start() and stop() run on. References outlive it.
  SelfCheck(ApiClient& client, ActingAs acting_as, net::Executor loop, net::Timers& timers);

  void start();
  net::Task<> stop();
  /// Any thread.
  std::shared_ptr<const SelfCheckResult> result() const;

 private:
  net::Task<> repeat();
  net::Task<Result<SelfCheckResult>> examine();
  net::Task<Result<>> review(SelfCheckResult& found);
  net::Task<Result<std::string>> ask_version();
  net::Task<Result<bool>> may(ResourceAccess access);
  net::Task<Result<bool>> may_impersonate_some(std::string_view resource);
  net::Task<Result<std::optional<std::string>>> post_review(std::string_view plural,
                                                            std::string body);
  void publish(SelfCheckResult result);

  ApiClient& client_;
  std::vector<Requirement> requirements_;
  net::Timers& timers_;
  mutable std::mutex mutex_;  // held for the copy of one pointer
  std::shared_ptr<const SelfCheckResult> result_;
  std::optional<MonotonicTime> reviewed_;  // when all permissions were last asked for
  net::TaskGroup tasks_;
};

}  // namespace sluice::backend::kubernetes
