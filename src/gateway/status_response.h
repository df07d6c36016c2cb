// The bodies of the endpoints that tell of states: of the cluster, of workloads and of pods
// (contract section 8).
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "http/message.h"
#include "workload/status.h"

namespace sluice::gateway {

/// 200 for OK and Degraded; 503 when the cluster can't be reached. `version` is sluice's own.
http::Response cluster_status_response(const workload::ClusterStatus& status,
                                       std::string_view version);
http::Response workload_status_response(const workload::WorkloadStatus& status);

/// {"workloads": [entry …]}, in the order given.
http::Response workload_list_response(const std::vector<workload::WorkloadStatus>& workloads);
json::object workload_entry(const workload::WorkloadStatus& status);

/// {"pods": [...]}, in the order given; the first one is the default pod.
http::Response pod_list_response(const std::vector<workload::PodStatus>& pods);

}  // namespace sluice::gateway
