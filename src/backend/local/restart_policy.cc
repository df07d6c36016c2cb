#include "backend/local/restart_policy.h"

#include <algorithm>
#include <utility>

namespace sluice::backend::local {
namespace {

constexpr seconds kLongestWait{60};
constexpr std::chrono::minutes kStableRun{10};

}  // namespace

nanoseconds RestartBackOff::next(nanoseconds ran_for) {
  if (ran_for >= kStableRun) wait_ = seconds(0);
  const seconds wait = wait_;
  wait_ = std::clamp(wait_ * 2, seconds(1), kLongestWait);
  return wait;
}

bool restarts(RestartPolicy policy, RunResult result) {
  switch (policy) {
    case RestartPolicy::Never: return false;
    case RestartPolicy::OnFailure: return result == RunResult::Failed;
    case RestartPolicy::Always: return true;
  }
  std::unreachable();
}

}  // namespace sluice::backend::local
