// What a log is asked for by, and one read of it.
#pragma once

#include <string>

#include "cli/logs/logs.h"
#include "cli/terminal/output.h"
#include "workload/workload_ref.h"

namespace sluice::cli {

/// The path of "logs" or "logs/download", with a query for what the options say.
std::string log_path(const workload::WorkloadRef& workload, std::string_view endpoint,
                     const LogsOptions& options);

/// Reads it to its end, which comes: nothing is followed. Errors: Unavailable, Internal: it is not
/// whole; the server's.
net::Task<Result<>> read_log(Context& context, const workload::WorkloadRef& workload,
                             const LogsOptions& options, Output& output);

}  // namespace sluice::cli
