// What every pod is given to reach its own cluster: the API server's address in the environment,
// and a token and the cluster's authority in files that the kubelet renews.
#pragma once

#include <string>

#include "backend/kubernetes/access/cluster_config.h"
#include "base/result.h"

namespace sluice::backend::kubernetes {

inline constexpr std::string_view kServiceAccountFolder =
    "/var/run/secrets/kubernetes.io/serviceaccount";

/// From the values of KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. Errors: InvalidArgument
/// (this is no pod).
Result<ClusterConfig> in_cluster_config(const std::string& service_host,
                                        const std::string& service_port);

}  // namespace sluice::backend::kubernetes
