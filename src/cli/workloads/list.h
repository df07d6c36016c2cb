// sluice list: the project's workloads, once or as they change.
#pragma once

#include "cli/cluster/context.h"
#include "cli/terminal/output_format.h"

namespace sluice::cli {

struct ListOptions {
  OutputFormat format = OutputFormat::Table;
  std::string type;  // only workloads of it; empty: all
  bool watch = false;
};

/// With `watch` it goes on, over lost connections, too, until a signal ends it.
net::Task<Result<int>> run_list(Context& context, ListOptions options);

}  // namespace sluice::cli
