#include "backend/kubernetes/logs/pending_log_stream.h"

namespace sluice::backend::kubernetes {

PendingLogStream::PendingLogStream(std::unique_ptr<PodWatch> pod, std::string container, Open open)
    : pod_(std::move(pod)), run_(std::move(container)), open_(std::move(open)) {}

net::Task<Result<>> PendingLogStream::readable() {
  if (!log_ && !end_) {
    CO_TRY_VOID(co_await begin());
  }
  if (!log_) co_return Result<>{};
  co_return co_await log_->readable();
}

Result<std::span<const LogPiece>> PendingLogStream::read() {
  if (log_) return log_->read();
  return std::span<const LogPiece>{};
}

std::optional<StreamEnd> PendingLogStream::end() const {
  if (log_) return log_->end();
  return kind_of(end_);
}

std::string_view PendingLogStream::end_reason() const {
  if (log_) return log_->end_reason();
  return reason_of(end_);
}

net::Task<Result<>> PendingLogStream::begin() {
  while (run_.state(pod_->current().get()) == RunState::NotBegun) {
    CO_TRY_VOID(co_await pod_->changed());
  }
  const std::shared_ptr<const PodRecord> pod = pod_->current();
  Result<std::unique_ptr<LogStream>> opened =
      fail(ErrorCode::Conflict, std::string(kPodDeleted.reason));
  if (pod != nullptr) opened = co_await open_(std::move(pod_));
  if (opened) {
    log_ = *std::move(opened);
    co_return Result<>{};
  }
  if (opened.error().code != ErrorCode::Conflict) co_return fail(opened.error());
  // It ended, or its pod did, without having begun.
  end_ = end_of_log(true, false, pod.get(), run_.container());
  co_return Result<>{};
}

}  // namespace sluice::backend::kubernetes
