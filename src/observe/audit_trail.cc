#include "observe/audit_trail.h"

#include <chrono>
#include <utility>

#include "observe/log.h"

namespace sluice {
namespace {

/// Until a file is tried again that took no lines.
constexpr std::chrono::milliseconds kRetry(500);

}  // namespace

Result<std::unique_ptr<AuditTrail>> AuditTrail::open(AuditFileOptions file, OnFailure on_failure) {
  std::unique_ptr<AuditTrail> trail(new AuditTrail(std::move(file), on_failure));
  TRY_VOID(trail->file_.append(""));
  trail->thread_ = std::thread([raw = trail.get()] { raw->run(); });
  return trail;
}

AuditTrail::AuditTrail(AuditFileOptions file, OnFailure on_failure)
    : on_failure_(on_failure), file_(std::move(file)) {}

AuditTrail::~AuditTrail() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void AuditTrail::write(std::string line) {
  line += '\n';
  {
    const std::lock_guard lock(mutex_);
    if (queued_.size() + line.size() > kMaxBytes) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    queued_ += line;
  }
  changed_.notify_one();
}

void AuditTrail::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !queued_.empty(); });
    if (queued_.empty()) return;
    std::string lines = std::exchange(queued_, {});
    lock.unlock();
    const Result<> appended = file_.append(lines);
    note(appended);
    lock.lock();
    if (appended) continue;
    queued_.insert(0, lines);
    if (ended_) return;  // there is nobody to wait for better times
    changed_.wait_for(lock, kRetry, [this] { return ended_; });
  }
}

void AuditTrail::note(const Result<>& appended) {
  const bool was_failing = failing_.exchange(!appended, std::memory_order_relaxed);
  if (!appended && !was_failing) {
    log(LogLevel::Error, "the audit trail can't be written", appended.error());
  } else if (appended && was_failing) {
    log(LogLevel::Warning, "the audit trail is written again", {{"lost_lines", lost_lines()}});
  }
}

}  // namespace sluice
