// sluice exec, bash and attach: a command in a container, or its main process, at this terminal or
// between pipes.
#pragma once

#include <string>
#include <vector>

#include "cli/cluster/context.h"
#include "cli/cluster/workload_name.h"

namespace sluice::cli {

struct ProcessOptions {
  TargetOptions target;
  bool stdin = false;
  bool tty = false;
  std::vector<std::string> command;  // empty: attach
  std::string detach_keys;           // of a terminal; empty: none
};

/// The exit code is the remote command's. Errors: why it isn't known.
net::Task<Result<int>> run_process(Context& context, WorkloadName name, ProcessOptions options);

}  // namespace sluice::cli
