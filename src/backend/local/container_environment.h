// The environment of a container's processes: little of sluiced's own, its identity, and the file's
// `env`.
#pragma once

#include <string>
#include <vector>

#include "backend/local/workloads_file.h"

namespace sluice::backend::local {

/// As "NAME=value", each name once. From `inherited` (sluiced's own) come PATH, HOME, USER,
/// LOGNAME, LANG, LC_*, TZ, TMPDIR, and TERM for a container with a terminal. A container with a
/// user has that one's HOME, USER, LOGNAME and SHELL, and no TMPDIR. `env` of the file overrides
/// them; last SLUICE_PROJECT, _WORKLOAD, _POD, _CONTAINER and _REPLICA_INDEX.
std::vector<std::string> container_environment(const std::vector<std::string>& inherited,
                                               const workload::WorkloadRef& workload,
                                               const std::string& pod, int replica_index,
                                               const ContainerSpec& container);

}  // namespace sluice::backend::local
