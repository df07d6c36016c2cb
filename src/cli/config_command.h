// sluice config: the configuration file, read and written key by key.
#pragma once

#include <string>

#include "cli/cluster/environment.h"
#include "cli/cluster/settings.h"
#include "cli/terminal/output_format.h"

namespace sluice::cli {

/// Of the cluster that is named, else of the current one; the first that is ever set is made, and
/// current. Errors of all: InvalidArgument, NotFound, Internal.
Result<int> run_config_set(const GlobalOptions& options, const Environment& environment,
                           const std::string& key, const std::string& value);
/// Prints it; an empty line: it is not set.
Result<int> run_config_get(const GlobalOptions& options, const Environment& environment,
                           const std::string& key);
/// All clusters, with all that is set.
Result<int> run_config_list(const GlobalOptions& options, const Environment& environment,
                            OutputFormat format);
/// Makes a cluster the current one.
Result<int> run_config_use(const GlobalOptions& options, const Environment& environment,
                           const std::string& cluster);

}  // namespace sluice::cli
