#include "backend/local/container_log.h"

#include <filesystem>
#include <system_error>

#include "base/result.h"

namespace sluice::backend::local {

std::shared_ptr<ContainerLog> ContainerLog::create(std::string directory, const Clock& clock,
                                                   const LogSettings& settings) {
  std::error_code error;  // the files in it fail with the same, and that is reported
  std::filesystem::create_directories(directory, error);
  return std::shared_ptr<ContainerLog>(new ContainerLog(std::move(directory), clock, settings));
}

ContainerLog::ContainerLog(std::string directory, const Clock& clock, const LogSettings& settings)
    : directory_(std::move(directory)),
      clock_(clock),
      settings_(settings),
      current_head_(std::make_shared<LogFile>()) {}

ContainerLog::~ContainerLog() {
  if (!pod_deleted_.load()) return;
  if (current_) current_->remove_files();
  if (previous_) previous_->remove_files();
  std::error_code error;  // a directory in which something else was put stays
  std::filesystem::remove(directory_, error);
  std::filesystem::remove(std::filesystem::path(directory_).parent_path(), error);
}

void ContainerLog::begin_run(int restart) {
  if (in_run_) end_run();
  if (previous_) previous_->remove_files();
  previous_ = std::move(current_);
  current_ =
      std::make_unique<LogWriter>(settings_, directory_, restart, clock_, counters_, deleted_);
  in_run_ = true;
  // Whoever follows since before the first run stands in the empty file.
  if (!current_head_->closed.load()) close_file(*current_head_, current_->head());
  publish_heads();
  signal_->notify();
}

void ContainerLog::write(OutputChannel channel, Bytes bytes) {
  if (!in_run_ || bytes.empty()) return;
  current_->write(channel, bytes);
  if (current_->head().get() != published_head_) publish_heads();
  signal_->notify();
}

void ContainerLog::end_run() {
  if (!std::exchange(in_run_, false)) return;
  current_->finish();
  if (current_->head().get() != published_head_) publish_heads();
  signal_->notify();
}

void ContainerLog::pod_deleted() {
  pod_deleted_.store(true);
  if (!current_ && !current_head_->closed.load()) close_file(*current_head_, nullptr);
  signal_->notify();
}

Result<std::shared_ptr<LogFile>> ContainerLog::previous_run() const {
  if (std::shared_ptr<LogFile> file = first_file(previous_head_)) return file;
  return fail(ErrorCode::NotFound,
              "no previous run: the container has not been restarted; leave out previous=true");
}

std::shared_ptr<LogFile> ContainerLog::first_file(const std::shared_ptr<LogFile>& head) const {
  const std::scoped_lock lock(mutex_);
  return head;
}

void ContainerLog::publish_heads() {
  published_head_ = current_->head().get();
  std::shared_ptr<LogFile> current = current_->head();
  std::shared_ptr<LogFile> previous = previous_ ? previous_->head() : nullptr;
  const std::scoped_lock lock(mutex_);  // taken after what it must not free was declared
  current_head_.swap(current);
  previous_head_.swap(previous);
}

}  // namespace sluice::backend::local
