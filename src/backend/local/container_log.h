// ContainerLog: all that is stored of one container's output: the run that is on, and the one
// before. The supervisor's thread writes; streams (log_stream.h) on any loop read.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "backend/local/log_chain.h"
#include "backend/local/log_signal.h"
#include "backend/local/log_writer.h"
#include "backend/streams.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace sluice::backend::local {

class ContainerLog {
 public:
  /// Makes `directory`; one that can't be made is a disk that refuses (log_writer.h). `clock`
  /// outlives the writing.
  static std::shared_ptr<ContainerLog> create(std::string directory, const Clock& clock,
                                              const LogSettings& settings = {});
  /// Removes the files if the pod was deleted.
  ~ContainerLog();

  // For the supervisor, on one thread.

  /// What is written from now on belongs to this run; the run before becomes the previous one, and
  /// the one before that is deleted. Who follows the earlier run reads it to its end.
  void begin_run(int restart);
  /// Any bytes; lines are what they contain. Only within a run. Blocks while the disk does.
  void write(OutputChannel channel, Bytes bytes);
  /// All output has been written. Followers read the rest and end.
  void end_run();
  /// The removal of the pod begins: from now on the end of a run ends its followers with
  /// TargetDeleted. Call it before the processes are stopped; twice is fine.
  void pod_deleted();

  // For any thread.

  /// The disk refuses what the container writes.
  bool is_degraded() const { return counters_.degraded.load(); }
  /// Bytes of log that the disk refused so far.
  std::uint64_t lost_bytes() const { return counters_.lost_bytes.load(); }
  bool is_pod_deleted() const { return pod_deleted_.load(); }

  // For LocalLogStream.

  /// The oldest file kept of the current run, or of the previous one. Errors: NotFound (no
  /// previous).
  Result<std::shared_ptr<LogFile>> current_run() const { return current_head_.file(); }
  Result<std::shared_ptr<LogFile>> previous_run() const;
  const std::shared_ptr<LogSignal>& signal() const { return signal_; }

 private:
  ContainerLog(std::string directory, const Clock& clock, const LogSettings& settings);

  const std::string directory_;
  const Clock& clock_;
  const LogSettings settings_;
  std::shared_ptr<LogSignal> signal_ = std::make_shared<LogSignal>();  // owners: this, and waiters
  LogCounters counters_;
  std::atomic<bool> pod_deleted_{false};
  LogHead current_head_;  // never null: before the first run, an empty file
  LogHead previous_head_;

  // The supervisor's thread only.
  DeletedLogFiles deleted_;
  std::unique_ptr<LogWriter> current_;
  std::unique_ptr<LogWriter> previous_;
  bool in_run_ = false;
};

}  // namespace sluice::backend::local
