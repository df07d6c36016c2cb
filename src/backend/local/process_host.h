// ProcessHost: the one place where sluice forks. A child of main, forked while there is only one
// thread, starts every process of the local backend, so nothing is ever forked from a program with
// threads, and what it started ends when sluiced does, also by SIGKILL. ADR 0003.
#pragma once

#include <sys/types.h>

#include "backend/local/cgroup.h"
#include "backend/local/process_control.h"
#include "backend/local/process_protocol.h"
#include "base/unique_fd.h"
#include "net/task.h"

namespace sluice::backend::local {

class ProcessHost {
 public:
  /// Forks the host. Call it first thing in main, before any thread. `cgroup` is that of the
  /// server, in which each process gets one for its tree; with none, trees are found in /proc
  /// alone. Descriptors 0, 1 and 2 have to be open. Errors: Unavailable.
  static Result<ProcessHost> start(Cgroup cgroup);

  ProcessHost(ProcessHost&&) = default;
  ProcessHost& operator=(ProcessHost&&) = delete;
  /// Ends everything that it started, by SIGKILL, and waits for that for at most 5 s.
  ~ProcessHost();

  /// Whether it still runs; should somebody have killed it, nothing can be started. Any thread.
  bool is_alive() const;

  /// Starts a process under a shim of its own, with the descriptors as its 0, 1, 2 (absent:
  /// /dev/null). Completes once the program runs. Any loop; calls may overlap. Cancelling ends what
  /// was started. Errors: InvalidArgument (program or working directory, in words for the client),
  /// Unavailable.
  net::Task<Result<ProcessControl>> spawn(SpawnRequest request, SpawnDescriptors descriptors);

 private:
  ProcessHost(pid_t pid, UniqueFd socket, Cgroup cgroup)
      : pid_(pid), socket_(std::move(socket)), cgroup_(std::move(cgroup)) {}

  pid_t pid_;
  UniqueFd socket_;
  Cgroup cgroup_;  // shared with the host; whoever ends last removes it
};

}  // namespace sluice::backend::local
