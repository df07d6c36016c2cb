// sluice status and describe: what the server knows, for people or as JSON or YAML.
#pragma once

#include "cli/cluster/context.h"
#include "cli/cluster/workload_name.h"
#include "cli/terminal/output_format.h"

namespace sluice::cli {

/// The cluster's. The exit code is that of a remote failure when it is not available.
net::Task<Result<int>> run_status(Context& context, OutputFormat format);

/// The workload's status and its pods.
net::Task<Result<int>> run_describe(Context& context, WorkloadName name, OutputFormat format);

}  // namespace sluice::cli
