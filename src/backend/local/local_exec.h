// exec and attach on the local backend: from a container to a LocalProcess on the calling loop.
#pragma once

#include "backend/local/supervisor.h"

namespace sluice::backend::local {

/// A further process with the environment and working directory of the container, which it ends
/// with. Errors: as Backend::exec().
net::Task<Result<std::unique_ptr<RemoteProcess>>> start_exec(Supervisor& supervisor,
                                                             workload::ContainerRef ref,
                                                             ExecOptions options);

/// Errors: as Backend::attach().
net::Task<Result<std::unique_ptr<RemoteProcess>>> join_container(Supervisor& supervisor,
                                                                 workload::ContainerRef ref,
                                                                 AttachOptions options);

}  // namespace sluice::backend::local
