// The shim: one small process between the host and each process that sluice starts. It is the
// subreaper of everything below it, so it can end a tree whole, also what left its session or was
// orphaned. ADR 0003.
#pragma once

#include "backend/local/cgroup.h"
#include "backend/local/process_protocol.h"

namespace sluice::backend::local {

/// The body of a shim: starts the program, tells the owner how it went, obeys it, and returns once
/// no descendant is left, nor anybody in `cgroup`, where the program starts. For a freshly forked
/// process with one thread, which then exits.
void run_shim(SpawnRequest request, UniqueFd control, SpawnDescriptors descriptors, Cgroup cgroup);

/// SIGCHLD as a descriptor; also makes the calling process deaf to the signals that a terminal or
/// an init system sends to everybody: its end is the end of its owner.
UniqueFd prepare_reaper_signals();

}  // namespace sluice::backend::local
