// LocalLogStream: one reader of a container's log, on its session's loop. It stays with the run
// that it was opened on, through rotation, and ends when that run has (as kubectl does). While it
// waits it holds no buffer: blocks are read into memory that all streams of a thread share.
#pragma once

#include <memory>
#include <optional>

#include "backend/local/container_log.h"
#include "backend/local/log_position.h"
#include "backend/local/log_signal.h"
#include "backend/options.h"
#include "backend/streams.h"
#include "loglines/reader.h"

namespace sluice::backend::local {

/// Finds where to begin, which reads the disk. `executor` is of the calling loop, the stream's.
/// Errors: NotFound (no previous run).
Result<std::unique_ptr<LogStream>> open_log_stream(std::shared_ptr<ContainerLog> log,
                                                   const LogOptions& options,
                                                   net::Executor executor);

class LocalLogStream final : public LogStream {
 public:
  LocalLogStream(std::shared_ptr<ContainerLog> log, const LogSnapshot& snapshot,
                 const LogPosition& position, const LogOptions& options, net::Executor executor);

  /// Errors: Cancelled.
  net::Task<Result<>> readable() override;
  /// Errors: Unavailable, "log lines lost": this reader was too slow for the rotation, or the disk
  /// refused lines while it followed.
  Result<std::span<const LogPiece>> read() override;
  std::optional<StreamEnd> end() const override { return end_; }
  std::string_view end_reason() const override { return end_reason_; }

 private:
  enum class Next { More, NotYet, Nothing };

  bool has_news() const;
  Result<std::uint64_t> readable_until();
  Result<loglines::Reader::Progress> read_block(std::uint64_t until);
  Next advance();
  void finish();

  std::shared_ptr<ContainerLog> log_;  // owners: the container, its views, its streams
  std::shared_ptr<LogFile> file_;      // owners: as of the chain
  std::uint64_t offset_;
  loglines::Reader reader_;
  const LogFile* last_file_ = nullptr;  // not following: where to end
  std::uint64_t last_offset_ = 0;
  std::uint64_t lost_bytes_seen_;
  std::optional<LogSignal::Waiter> waiter_;  // following only
  std::optional<StreamEnd> end_;
  std::string_view end_reason_;
};

}  // namespace sluice::backend::local
