// sluice logs: a container's log on stdout or in a file.
#pragma once

#include <cstdint>
#include <string>

#include "cli/cluster/context.h"
#include "cli/cluster/workload_name.h"

namespace sluice::cli {

struct LogsOptions {
  TargetOptions target;
  bool all_pods = false;  // and all of their containers, or those of the target's name
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
  std::optional<std::uint64_t> tail_lines;
  std::optional<nanoseconds> since;    // ago
  std::optional<WallTime> since_time;  // not with `since`
  std::optional<std::uint64_t> limit_bytes;
  std::optional<nanoseconds> wait_timeout;  // for the container to have started
  std::string output;                       // a file; empty: stdout
};

/// With `follow` it goes on after a lost connection, without losing or repeating a line, until the
/// container ends. A file is replaced only by a whole log, or written as it comes with `follow`.
net::Task<Result<int>> run_logs(Context& context, WorkloadName name, LogsOptions options);

}  // namespace sluice::cli
