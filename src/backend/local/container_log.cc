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
  current_ = std::make_unique<LogWriter>(settings_, directory_, restart, clock_, counters_,
                                         deleted_, current_head_);
  in_run_ = true;
  // Whoever follows since before the first run stands in the empty file.
  const std::shared_ptr<LogFile> last = current_head_.file();
  if (!last->closed.load()) close_file(*last, current_->head());
  if (previous_) previous_head_.set(previous_->head());
  current_head_.set(current_->head());
  signal_->notify();
}

void ContainerLog::write(OutputChannel channel, Bytes bytes) {
  if (!in_run_ || bytes.empty()) return;
  current_->write(channel, bytes);
  signal_->notify();
}

void ContainerLog::end_run() {
  if (!std::exchange(in_run_, false)) return;
  current_->finish();
  signal_->notify();
}

void ContainerLog::pod_deleted() {
  pod_deleted_.store(true);
  const std::shared_ptr<LogFile> last = current_head_.file();
  if (!current_ && !last->closed.load()) close_file(*last, nullptr);
  signal_->notify();
}

Result<std::shared_ptr<LogFile>> ContainerLog::previous_run() const {
  if (std::shared_ptr<LogFile> file = previous_head_.file()) return file;
  return fail(ErrorCode::NotFound,
              "no previous run: the container has not been restarted; leave out previous=true");
}

}  // namespace sluice::backend::local
