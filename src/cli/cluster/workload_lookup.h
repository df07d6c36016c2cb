// From the workload that a command line names to the one that a request names.
#pragma once

#include "cli/cluster/context.h"
#include "cli/cluster/workload_name.h"
#include "workload/workload_ref.h"

namespace sluice::cli {

/// Where the type was not given, the server is asked which workloads have the name. Errors:
/// InvalidArgument (no project; no such type; several have the name), NotFound (none has, with the
/// nearest), and those of ClusterApi::get_json().
net::Task<Result<workload::WorkloadRef>> look_up(Context& context, const WorkloadName& name);

/// Errors: InvalidArgument: none is set.
Result<std::string> project_of(const Settings& settings);

/// For a request about this workload that was refused: where there is no such workload, the error
/// names it, and the nearest there is.
net::Task<Error> explain(Context& context, const workload::WorkloadRef& workload,
                         const Error& error);

/// Whether a workload or pod of this phase, by the server's word, runs no more.
bool is_end_phase(std::string_view phase);

/// Whether the server has no such path: it is one that serves only what the contract requires.
bool is_unknown_path(const Error& error);
/// For a list of workloads that was refused: says so where the server has none.
Error without_list(const Error& error);

}  // namespace sluice::cli
