#include "backend/kubernetes/cluster_status.h"

#include <algorithm>

#include <fmt/format.h>

namespace sluice::backend::kubernetes {
namespace {

using workload::FeatureState;
using workload::FeatureStatus;

/// The worst that is known of a feature stands; a second reason is added to the first.
void degrade(FeatureStatus& feature, FeatureState state, std::string_view reason) {
  feature.state = std::max(feature.state, state);
  if (!feature.message.empty()) feature.message += "; ";
  feature.message += reason;
}

void add_permissions(FeatureStatus& feature, const SelfCheckResult& self_check) {
  for (const Requirement& lacking : self_check.lacking) {
    // Where callers are impersonated or reviewed, no feature works without that.
    const bool for_all = lacking.feature == "impersonation" || lacking.feature == "accessReviews";
    if (lacking.feature != feature.name && !for_all) continue;
    degrade(feature, FeatureState::Unavailable, "the gateway may not " + to_string(lacking.access));
  }
}

void add_watches(FeatureStatus& workloads, const ClusterSnapshot& snapshot) {
  for (const WatchedResource& resource : snapshot.resources) {
    if (resource.state == WatchState::Current || resource.state == WatchState::Absent) continue;
    degrade(workloads, FeatureState::Degraded,
            fmt::format("{}: {}", resource.name, resource.message));
  }
}

/// One reason stands for all: it is mostly the same.
void add_kubelets(FeatureStatus& logs, const std::vector<KubeletRefusal>& kubelets) {
  if (kubelets.empty()) return;
  degrade(logs, FeatureState::Degraded,
          fmt::format("the log files of {} node{} can't be read, so that logs come from the API "
                      "server (node {}: {})",
                      kubelets.size(), kubelets.size() == 1 ? "" : "s", kubelets.front().node,
                      kubelets.front().reason));
}

}  // namespace

workload::ClusterStatus cluster_status(const ClusterSnapshot& snapshot,
                                       const SelfCheckResult& self_check,
                                       const std::vector<KubeletRefusal>& kubelets) {
  workload::ClusterStatus status;
  status.backend_kind = "kubernetes";
  status.backend_version = self_check.version;
  status.reachable = self_check.reachable;
  if (!status.reachable) {
    status.message = self_check.problem.empty()
                         ? "the cluster has not answered yet"
                         : "the cluster does not answer: " + self_check.problem;
  }
  for (const char* name : {"logs", "exec", "attach", "portForward", "workloads"}) {
    FeatureStatus feature{name, FeatureState::Ok, {}};
    add_permissions(feature, self_check);
    if (feature.name == "logs") add_kubelets(feature, kubelets);
    if (feature.name == "workloads") add_watches(feature, snapshot);
    status.features.push_back(std::move(feature));
  }
  return status;
}

}  // namespace sluice::backend::kubernetes
