// ProcessControl: the owner's end of one process: learn how it ended, signal its tree. Dropping it
// applies the EndPolicy that the process was started with.
#pragma once

#include <sys/types.h>

#include <optional>

#include "backend/local/process_protocol.h"
#include "net/descriptor.h"

namespace sluice::backend::local {

class ProcessControl {
 public:
  /// `socket` speaks ShimMessage; `pid` is for the log only and 0 where there is none (attach).
  ProcessControl(net::Executor executor, UniqueFd socket, pid_t pid)
      : socket_(executor, std::move(socket)), pid_(pid) {}

  /// Takes the shim's first message, Started or Failed; Killed when there is none. Errors:
  /// Cancelled.
  net::Task<Result<ShimMessage>> wait_started();

  /// How the process ended, if it has. Only looks: the answer stays the same, and wait() finds it,
  /// too. A shim that vanished without a word (killed by someone) counts as Killed by signal 9.
  std::optional<ShimMessage> end() const;
  /// Completes when the process has ended. One caller at a time. Errors: Cancelled.
  net::Task<Result<ShimMessage>> wait();
  /// Completes when the process and all its descendants are gone; end() is not to be asked
  /// afterwards.
  net::Task<Result<>> wait_gone();

  void signal_tree(int signal);
  void kill_tree();

  /// Readable when end() has an answer: for an epoll set.
  int fd() { return socket_.fd(); }
  pid_t pid() const { return pid_; }

 private:
  void send(OwnerMessage message);

  mutable net::Descriptor socket_;  // Asio's native_handle() is not const
  pid_t pid_;
};

}  // namespace sluice::backend::local
