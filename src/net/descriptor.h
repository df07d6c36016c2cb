// Descriptor: a non-blocking file descriptor (socket, pipe, pty, pidfd) on one event loop. It only
// waits; reading and writing are the caller's plain system calls, so an idle one holds no buffer.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "base/unique_fd.h"
#include "net/task.h"

namespace sluice::net {

class Descriptor {
 public:
  /// Takes the descriptor and makes it non-blocking. Regular files can't be waited for.
  Descriptor(Executor executor, UniqueFd fd);

  /// Completes when a read (or write) may make progress, also to report an end or an error; it may
  /// wake for nothing. One waiter of each kind at a time. Errors: Cancelled (also after
  /// close()).
  Task<Result<>> readable();
  Task<Result<>> writable();
  /// Completes when both directions have ended, or with an error of the connection.
  Task<Result<>> hung_up();

  Executor executor() { return descriptor_.get_executor(); }
  int fd() { return descriptor_.native_handle(); }
  /// Ends pending waits with Cancelled.
  void close();

 private:
  boost::asio::posix::basic_stream_descriptor<Executor> descriptor_;
};

}  // namespace sluice::net
