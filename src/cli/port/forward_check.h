// Whether ports of a workload can be forwarded is known before anybody connects to the local ones.
#pragma once

#include "cli/cluster/context.h"
#include "cli/cluster/workload_name.h"
#include "workload/workload_ref.h"

namespace sluice::cli {

/// Asks what has no effect, as far as the server has it and the caller may: whether `path`, that of
/// the connections, is allowed; the workload's status; its pods. Errors: PermissionDenied,
/// WorkloadNotFound, NotFound (no such pod or container), Conflict (it has ended, it has no pods),
/// and those of ClusterApi.
net::Task<Result<>> check_forward(Context& context, workload::WorkloadRef workload,
                                  TargetOptions target, std::string path);

/// Why nothing of these pods, as the server lists them, can be forwarded to. Errors: NotFound,
/// Conflict.
Result<> check_pods(const json::object& pods, const TargetOptions& target,
                    const std::string& workload);

}  // namespace sluice::cli
