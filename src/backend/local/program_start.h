// From a fork to a running program: session, terminal, descriptors, user, working directory, PATH,
// exec. Never a shell. For single-threaded processes (shims) only, so that the child may allocate.
#pragma once

#include <sys/types.h>

#include "backend/local/cgroup.h"
#include "backend/local/process_protocol.h"

namespace sluice::backend::local {

struct StartFailure {
  SpawnStage stage = SpawnStage::Fork;
  int error_number = 0;
};

/// The pid of the running program, in a session of its own; or what failed, and then no child is
/// left. It starts in `cgroup`, if there is one and the kernel allows it. The child dies when the
/// caller does (PR_SET_PDEATHSIG). Closes the descriptors in the caller.
struct StartResult {
  pid_t pid = -1;
  StartFailure failure;  // of pid -1
};
StartResult start_program(const SpawnRequest& request, SpawnDescriptors descriptors,
                          const Cgroup& cgroup);

}  // namespace sluice::backend::local
