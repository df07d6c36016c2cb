// AuditTrail: who did what, one JSON object a line. Unlike the log it loses nothing as long as its
// file takes lines: what can't be written waits, in memory that is bounded, and is tried again. A
// thread of its own writes, so that no loop waits for a disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "observe/audit_file.h"
#include "observe/bounded_thread.h"
#include "observe/record_quota.h"

namespace sluice {

class AuditTrail {
 public:
  /// What waits to be written, or is being written; beyond it lines are lost, and counted.
  static constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
  /// A file that has been taking the same lines for longer than this fails.
  static constexpr seconds kPatience{5};
  /// What those may cause whom nobody knows.
  static constexpr RateLimit kStrangers{.per_second = 1, .burst = 1000};

  /// What a file that takes no lines means for those who come.
  enum class OnFailure {
    Report,  // they are served; the log and the metrics tell
    Refuse,  // new sessions are refused
  };

  /// `clock` outlives it. Errors: Unavailable: the file can't be opened or written.
  static Result<std::unique_ptr<AuditTrail>> open(AuditFileOptions file, OnFailure on_failure,
                                                  const Clock& clock);
  /// Writes out what is queued, if that is possible within kPatience.
  ~AuditTrail();
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  /// Any thread. `line` has no end of line, and no control characters.
  void write(std::string line);

  /// The file took no lines when it was last tried, or takes too long; or lines were lost since it
  /// last took some. Any thread.
  bool is_failing() const;
  bool refuses_sessions() const { return on_failure_ == OnFailure::Refuse && is_failing(); }
  std::uint64_t lost_lines() const;
  /// For records of requests whose caller nobody knows.
  RecordQuota& strangers() { return strangers_; }

 private:
  class Writer;
  AuditTrail(std::shared_ptr<Writer> writer, OnFailure on_failure);

  const OnFailure on_failure_;
  RecordQuota strangers_{kStrangers};
  const std::shared_ptr<Writer> writer_;  // the thread owns it, too: it may hang
  BoundedThread thread_;
};

}  // namespace sluice
