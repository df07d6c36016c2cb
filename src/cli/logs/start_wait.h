// --wait-timeout: waits for a workload, its pod and container to be there and started.
#pragma once

#include "cli/cluster/context.h"
#include "cli/cluster/workload_name.h"
#include "workload/workload_ref.h"

namespace sluice::cli {

/// On stderr it says what it waits for. At once where the server can't tell: then the request
/// itself shows what is wrong. Errors: Conflict: timed out; those of look_up() that waiting doesn't
/// change.
net::Task<Result<workload::WorkloadRef>> wait_for_start(Context& context, WorkloadName name,
                                                        TargetOptions target, nanoseconds timeout);

/// Whether a container, as the server lists it, has a log: it runs, or did.
bool has_started(const json::object& container);

/// What has yet to be there before the target has started, among the pods that the server lists:
/// `container "main" of pod "train-0-0" (ImagePullBackOff)`; empty: nothing.
std::string missing_for_start(const json::object& pods, const TargetOptions& target);

}  // namespace sluice::cli
