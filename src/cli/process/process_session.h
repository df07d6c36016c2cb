// ProcessSession: one exec or attach at our own stdin, stdout and stderr: our stdin to its channel,
// its output to ours, the terminal's size, and how it ended.
#pragma once

#include <memory>
#include <optional>

#include "cli/process/detach_keys.h"
#include "cli/process/process_channels.h"
#include "cli/terminal/input_thread.h"
#include "cli/terminal/output_thread.h"
#include "net/task_group.h"

namespace sluice::cli {

class ProcessSession {
 public:
  /// All outlive it.
  ProcessSession(Context& context, ProcessChannels& channels, const ProcessOptions& options,
                 const DetachKeys& detach_keys);

  /// Until it has ended, or was left by the detach keys. The exit code. Errors: as run_process().
  net::Task<Result<int>> run();

 private:
  net::Task<> receive();
  net::Task<> send_input();
  net::Task<> send_sizes();
  net::Task<Result<>> take(const ProcessChannels::Output& output);
  void end(Result<int> result);

  Context& context_;
  ProcessChannels& channels_;
  const ProcessOptions& options_;
  DetachKeys detach_keys_;
  std::optional<Result<int>> result_;
  OutputThread stdout_;
  OutputThread stderr_;
  std::unique_ptr<InputThread> stdin_;
  net::TaskGroup tasks_;
};

}  // namespace sluice::cli
