#include "observe/audit_trail.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "observe/log.h"

namespace sluice {
namespace {

/// Until a file is tried again that took no lines.
constexpr std::chrono::milliseconds kRetry(500);

}  // namespace

class AuditTrail::Writer {
 public:
  Writer(AuditFileOptions file, const Clock& clock) : file_(std::move(file)), clock_(clock) {}

  Result<> open() {
    std::string_view nothing;
    return file_.append(nothing);
  }
  void write(std::string line);
  /// The thread's: until end().
  void run();
  void end();
  /// Nobody waits for the thread any more; what it was made with may be gone.
  void abandon();

  bool is_failing() const;
  std::uint64_t lost_lines() const;

 private:
  bool append(std::unique_lock<std::mutex>& lock);
  void note(const Result<>& appended);

  AuditFile file_;  // the thread's
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string queued_;
  std::size_t writing_bytes_ = 0;  // what the thread has taken
  std::optional<MonotonicTime> writing_since_;
  bool is_ended_ = false;
  bool is_abandoned_ = false;
  bool took_none_ = false;  // when it was last tried
  bool has_lost_ = false;   // since it last took some
  std::uint64_t lost_ = 0;
};

Result<std::unique_ptr<AuditTrail>> AuditTrail::open(AuditFileOptions file, OnFailure on_failure,
                                                     const Clock& clock) {
  auto writer = std::make_shared<Writer>(std::move(file), clock);
  TRY_VOID(writer->open());
  return std::unique_ptr<AuditTrail>(new AuditTrail(std::move(writer), on_failure));
}

AuditTrail::AuditTrail(std::shared_ptr<Writer> writer, OnFailure on_failure)
    : on_failure_(on_failure),
      writer_(std::move(writer)),
      thread_([writer = writer_] { writer->run(); }) {}

AuditTrail::~AuditTrail() {
  writer_->end();
  if (thread_.join_within(kPatience)) return;
  writer_->abandon();
  log(LogLevel::Error, "the end of the audit trail could not be written");
}

void AuditTrail::write(std::string line) { writer_->write(std::move(line)); }
bool AuditTrail::is_failing() const { return writer_->is_failing(); }
std::uint64_t AuditTrail::lost_lines() const { return writer_->lost_lines(); }

void AuditTrail::Writer::write(std::string line) {
  line += '\n';
  {
    const std::lock_guard lock(mutex_);
    if (queued_.size() + writing_bytes_ + line.size() > kMaxBytes) {
      has_lost_ = true;
      ++lost_;
      return;
    }
    queued_ += line;
  }
  changed_.notify_one();
}

void AuditTrail::Writer::end() {
  {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
  }
  changed_.notify_one();
}

void AuditTrail::Writer::abandon() {
  const std::lock_guard lock(mutex_);
  is_abandoned_ = true;
}

bool AuditTrail::Writer::is_failing() const {
  const std::lock_guard lock(mutex_);
  const bool hangs = writing_since_ && clock_.now() - *writing_since_ > kPatience;
  return took_none_ || has_lost_ || hangs;
}

std::uint64_t AuditTrail::Writer::lost_lines() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void AuditTrail::Writer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_ended_ || !queued_.empty(); });
    if (queued_.empty() || is_abandoned_) return;
    if (append(lock)) continue;
    if (is_ended_) return;  // there is nobody to wait for better times
    changed_.wait_for(lock, kRetry, [this] { return is_ended_; });
  }
}

/// What is queued; what the file did not take is queued again. Whether it took all.
bool AuditTrail::Writer::append(std::unique_lock<std::mutex>& lock) {
  std::string lines = std::exchange(queued_, {});
  writing_bytes_ = lines.size();
  writing_since_ = clock_.now();
  lock.unlock();
  std::string_view rest = lines;
  const Result<> appended = file_.append(rest);
  lock.lock();
  writing_bytes_ = 0;
  writing_since_.reset();
  queued_.insert(0, rest);
  if (!is_abandoned_) note(appended);
  return appended.has_value();
}

void AuditTrail::Writer::note(const Result<>& appended) {
  const bool had_failed = std::exchange(took_none_, !appended) || has_lost_;
  if (appended) has_lost_ = false;
  if (!appended && !had_failed) {
    log(LogLevel::Error, "the audit trail can't be written", appended.error());
  } else if (appended && had_failed) {
    log(LogLevel::Warning, "the audit trail is written again", {{"lost_lines", lost_}});
  }
}

}  // namespace sluice
