// ProcessSession: one exec or attach over Kubernetes' channels: our stdin to its channel, its
// output to ours, the terminal's size, and how it ended.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "channel/demultiplexer.h"
#include "channel/remote_command.h"
#include "cli/detach_keys.h"
#include "cli/input_thread.h"
#include "cli/output_thread.h"
#include "cli/process.h"
#include "cli/server_socket.h"
#include "net/task_group.h"

namespace sluice::cli {

class ProcessSession {
 public:
  /// All outlive it.
  ProcessSession(Context& context, ServerSocket& socket, const ProcessOptions& options,
                 channel::Version version, const DetachKeys& detach_keys);

  /// Until it has ended, or was left by the detach keys. The exit code. Errors: as run_process().
  net::Task<Result<int>> run();

 private:
  net::Task<> receive();
  net::Task<> send_input();
  net::Task<> send_sizes();
  net::Task<Result<>> send_on(channel::StreamChannel channel, Bytes payload);
  net::Task<Result<>> take(const ws::MessagePiece& piece);
  Result<int> end_of(const ws::Close& close) const;
  void end(Result<int> result);

  Context& context_;
  ServerSocket& socket_;
  const ProcessOptions& options_;
  channel::Version version_;
  DetachKeys detach_keys_;
  channel::Demultiplexer demultiplexer_;
  std::string status_;  // what came on the error channel
  std::optional<Result<int>> result_;
  OutputThread stdout_;
  OutputThread stderr_;
  std::unique_ptr<InputThread> stdin_;
  net::TaskGroup tasks_;
};

}  // namespace sluice::cli
