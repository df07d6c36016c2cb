// PendingLogStream: a follow of a container's log that begins before the container does: it waits
// for that, and then is the log.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "backend/kubernetes/cache/pod_watch.h"
#include "backend/kubernetes/logs/container_run.h"
#include "backend/kubernetes/logs/pod_log.h"
#include "backend/streams.h"

namespace sluice::backend::kubernetes {

class PendingLogStream final : public LogStream {
 public:
  /// Opens the log once the container has begun, or will not any more. Errors: Conflict: there is
  /// none.
  using Open = std::move_only_function<net::Task<Result<std::unique_ptr<LogStream>>>(
      std::unique_ptr<PodWatch>)>;

  /// On the calling loop, `pod` too.
  PendingLogStream(std::unique_ptr<PodWatch> pod, std::string container, Open open);

  net::Task<Result<>> readable() override;
  Result<std::span<const LogPiece>> read() override;
  std::optional<StreamEnd> end() const override;
  std::string_view end_reason() const override;

 private:
  net::Task<Result<>> begin();

  std::unique_ptr<PodWatch> pod_;
  ContainerRun run_;
  Open open_;
  std::unique_ptr<LogStream> log_;  // null: the container has not begun
  std::optional<EndOfLog> end_;     // without a log
};

}  // namespace sluice::backend::kubernetes
