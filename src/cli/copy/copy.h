// sluice cp: files and directories between this machine and a container.
#pragma once

#include <string>

#include "cli/cluster/context.h"
#include "cli/cluster/workload_name.h"
#include "workload/workload_ref.h"

namespace sluice::cli {

struct CopyOptions {
  WorkloadName workload;  // its type, if one was given; the name is in one of the two below
  TargetOptions target;
  std::string from;  // as they were written
  std::string to;
};

/// The exit code: kRemoteFailure where a part could not be copied, which was told of. Errors: of
/// any kind.
net::Task<Result<int>> run_copy(Context& context, CopyOptions options);

/// What is to be copied, in one of the two directions.
struct Copy {
  workload::WorkloadRef workload;
  TargetOptions target;
  std::string remote;  // a path in the container
  std::string local;
};

}  // namespace sluice::cli
