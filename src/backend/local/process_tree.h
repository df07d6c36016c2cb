// The descendants of a process, by /proc: what a signal to a whole tree goes to. For use in the
// process host and its shims, which are subreapers and single-threaded.
#pragma once

#include <sys/types.h>

#include <vector>

namespace sluice::backend::local {

/// The living children of the calling process, zombies included.
std::vector<pid_t> children();
/// The descendants of `roots`, with them. A process that is born meanwhile may be missing: ask
/// again.
std::vector<pid_t> descendants(std::vector<pid_t> roots);
/// SIGKILL to all below the calling process. Its children get it as soon as they are seen, which
/// leaves those that fork and end all the time little of it.
void kill_descendants();
void signal_all(const std::vector<pid_t>& processes, int signal);

}  // namespace sluice::backend::local
