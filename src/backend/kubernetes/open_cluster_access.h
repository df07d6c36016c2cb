// Opens the way to the cluster that the configuration names: kubeconfigs, or the pod's own account.
#pragma once

#include <memory>

#include "backend/kubernetes/access/cluster_access.h"
#include "backend/kubernetes/config.h"
#include "net/timers.h"

namespace sluice::backend::kubernetes {

/// Connects to nothing yet. Errors: InvalidArgument, Unavailable: what the files say, or that there
/// are none.
Result<std::unique_ptr<ClusterAccess>> open_cluster_access(const KubernetesConfig& config,
                                                           net::Timers& timers);

}  // namespace sluice::backend::kubernetes
