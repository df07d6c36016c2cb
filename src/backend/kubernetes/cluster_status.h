// The cluster status (contract section 8), from what the informers and the self-test last found.
#pragma once

#include "backend/kubernetes/cache/cluster_snapshot.h"
#include "backend/kubernetes/logs/kubelets.h"
#include "backend/kubernetes/self_check.h"
#include "workload/status.h"

namespace sluice::backend::kubernetes {

workload::ClusterStatus cluster_status(const ClusterSnapshot& snapshot,
                                       const SelfCheckResult& self_check,
                                       const std::vector<KubeletRefusal>& kubelets = {});

}  // namespace sluice::backend::kubernetes
