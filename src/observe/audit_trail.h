// AuditTrail: who did what, one JSON object a line. Unlike the log it loses nothing as long as its
// file takes lines: what can't be written waits, in memory that is bounded, and is tried again. A
// thread of its own writes, so that no loop waits for a disk.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "observe/audit_file.h"

namespace sluice {

class AuditTrail {
 public:
  /// What waits to be written; beyond it lines are lost, and counted.
  static constexpr std::size_t kMaxBytes = std::size_t{16} << 20;

  /// What a file that takes no lines means for those who come.
  enum class OnFailure {
    Report,  // they are served; the log and the metrics tell
    Refuse,  // new sessions are refused
  };

  /// Errors: Unavailable: the file can't be opened or written.
  static Result<std::unique_ptr<AuditTrail>> open(AuditFileOptions file, OnFailure on_failure);
  /// Writes out what is queued, if that is possible.
  ~AuditTrail();
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  /// Any thread. `line` has no end of line, and no control characters.
  void write(std::string line);

  /// The file took no lines when it was last tried.
  bool is_failing() const { return failing_.load(std::memory_order_relaxed); }
  bool refuses_sessions() const { return on_failure_ == OnFailure::Refuse && is_failing(); }
  std::uint64_t lost_lines() const { return lost_.load(std::memory_order_relaxed); }

 private:
  AuditTrail(AuditFileOptions file, OnFailure on_failure);
  void run();
  void note(const Result<>& appended);

  const OnFailure on_failure_;
  AuditFile file_;  // the thread's
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string queued_;
  bool ended_ = false;
  std::atomic<bool> failing_ = false;
  std::atomic<std::uint64_t> lost_ = 0;
  std::thread thread_;  // last: it uses the others
};

}  // namespace sluice
