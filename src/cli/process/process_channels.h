// ProcessChannels: a process in a container, at the other end of a WebSocket with Kubernetes'
// channels: what it writes, what it is sent, and how it ended.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "channel/demultiplexer.h"
#include "channel/remote_command.h"
#include "cli/cluster/server_socket.h"
#include "cli/process/process.h"
#include "workload/workload_ref.h"

namespace sluice::cli {

class ProcessChannels {
 public:
  struct Output {
    channel::StreamChannel channel;  // Stdout or Stderr
    Bytes bytes;                     // valid until the next receive()
  };
  struct End {
    Result<int> exit_code;  // errors: Unavailable (lost), Unauthenticated, Internal
  };
  using Received = std::variant<Output, End>;

  /// Starts the command, or attaches. Of `options`, where to and what with counts. Errors: the
  /// server's, explained.
  static net::Task<Result<std::unique_ptr<ProcessChannels>>> open(Context& context,
                                                                  workload::WorkloadRef workload,
                                                                  ProcessOptions options);
  ProcessChannels(Context& context, WebSocket opened);

  /// Errors: Cancelled.
  net::Task<Result<Received>> receive();
  /// Senders take turns. Errors: Unavailable, Cancelled: whoever receives learns why.
  net::Task<Result<>> send(channel::StreamChannel channel, Bytes bytes);
  /// The process's stdin ends; in version 4, which has no way to say it, it doesn't.
  net::Task<Result<>> end_stdin();
  /// Ends everything; must be awaited before destruction.
  net::Task<> end() { return socket_.end(); }

 private:
  Result<int> end_of(const ws::Close& close) const;

  channel::Version version_;
  ServerSocket socket_;
  channel::Demultiplexer demultiplexer_;
  std::string status_;  // what came on the error channel
};

}  // namespace sluice::cli
