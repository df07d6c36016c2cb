// The bodies of the two status endpoints (contract section 8).
#pragma once

#include <string_view>

#include "http/message.h"
#include "workload/status.h"

namespace sluice::gateway {

/// 200 for OK and Degraded; 503 when the cluster can't be reached. `version` is sluice's own.
http::Response cluster_status_response(const workload::ClusterStatus& status,
                                       std::string_view version);
http::Response workload_status_response(const workload::WorkloadStatus& status);

}  // namespace sluice::gateway
