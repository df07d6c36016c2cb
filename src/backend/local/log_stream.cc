#include "backend/local/log_stream.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "backend/log_reader_options.h"
#include "base/bytes.h"
#include "loglines/lines_lost.h"

namespace sluice::backend::local {
namespace {

/// What all streams of a thread read into, one at a time.
struct Scratch {
  std::array<char, 256_KiB> block;
  std::array<LogPiece, 8192> pieces;  // more than a block of records has
};

Scratch& scratch() {
  thread_local const std::unique_ptr<Scratch> instance = std::make_unique<Scratch>();
  return *instance;
}

using loglines::lines_lost;

loglines::ReaderOptions cri_options(const LogOptions& options, const LogPosition& position) {
  loglines::ReaderOptions reader = reader_options(options, loglines::Format::Cri);
  reader.skip_bytes = position.skip_bytes;
  return reader;
}

}  // namespace

Result<std::unique_ptr<LogStream>> open_log_stream(std::shared_ptr<ContainerLog> log,
                                                   const LogOptions& options,
                                                   net::Executor executor) {
  TRY(std::shared_ptr<LogFile> first, options.previous ? log->previous_run() : log->current_run());
  const LogSnapshot snapshot(std::move(first));
  const LogPosition position = find_position(snapshot, options);
  return std::make_unique<LocalLogStream>(std::move(log), snapshot, position, options, executor);
}

LocalLogStream::LocalLogStream(std::shared_ptr<ContainerLog> log, const LogSnapshot& snapshot,
                               const LogPosition& position, const LogOptions& options,
                               net::Executor executor)
    : log_(std::move(log)),
      file_(snapshot.files[position.file].file),
      offset_(position.offset),
      reader_(cri_options(options, position)),
      lost_bytes_seen_(log_->lost_bytes()) {
  if (options.follow) {
    waiter_.emplace(log_->signal(), executor);
  } else {
    last_file_ = snapshot.files.back().file.get();
    last_offset_ = snapshot.files.back().size;
  }
}

net::Task<Result<>> LocalLogStream::readable() {
  while (!has_news()) {
    waiter_->arm();
    if (has_news()) break;
    CO_TRY_VOID(co_await waiter_->wait());
  }
  co_return Result<>{};
}

Result<std::span<const LogPiece>> LocalLogStream::read() {
  const std::span<LogPiece> pieces = scratch().pieces;
  while (!end_) {
    TRY(const std::uint64_t until, readable_until());
    loglines::Reader::Progress progress;
    if (offset_ < until && !reader_.limit_reached()) {
      TRY(progress, read_block(until));
    } else {
      const Next next = reader_.limit_reached() ? Next::Nothing : advance();
      if (next == Next::NotYet) break;
      if (next == Next::More) continue;
      progress = reader_.finish({}, pieces);
      if (progress.pieces == 0) finish();
    }
    if (progress.pieces > 0) return pieces.first(progress.pieces);
  }
  return std::span<const LogPiece>{};
}

/// Whether read() has something to do.
bool LocalLogStream::has_news() const {
  if (end_ || !waiter_ || reader_.limit_reached()) return true;
  const LogFile::State state = file_->state();
  return state.closed || offset_ < state.committed || file_->lost.load() ||
         file_->lost_bytes.load() > lost_bytes_seen_;
}

/// How far the file may be read now.
Result<std::uint64_t> LocalLogStream::readable_until() {
  if (file_->lost.load()) return lines_lost();
  if (file_.get() == last_file_) return last_offset_;
  // The losses are asked for after the size, so that what follows a gap is not read before it is
  // seen.
  const std::uint64_t committed = file_->state().committed;
  const std::uint64_t lost_bytes = file_->lost_bytes.load();
  const std::uint64_t gap_at = file_->gap_at.load();
  if (!waiter_ || lost_bytes <= lost_bytes_seen_) return committed;
  if (offset_ < gap_at) return std::min(gap_at, committed);
  lost_bytes_seen_ = lost_bytes;
  return lines_lost();
}

Result<loglines::Reader::Progress> LocalLogStream::read_block(std::uint64_t until) {
  Scratch& memory = scratch();
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(memory.block.size(), until - offset_));
  const ssize_t count =
      ::pread(file_->fd.get(), memory.block.data(), size, static_cast<off_t>(offset_));
  if (count <= 0 || file_->lost.load()) return lines_lost();
  const std::span<char> block(memory.block.data(), static_cast<std::size_t>(count));
  const loglines::Reader::Progress progress = reader_.feed(block, memory.pieces);
  offset_ += progress.consumed;
  // Only whole records are committed: someone else has changed the file.
  if (progress.consumed == 0 && progress.pieces == 0) return lines_lost();
  return progress;
}

/// What follows what has been read; a step into the next file if there is one.
LocalLogStream::Next LocalLogStream::advance() {
  if (file_.get() == last_file_) return Next::Nothing;
  const LogFile::State state = file_->state();
  if (offset_ < state.committed) return Next::More;  // committed since it was last asked
  if (!state.closed) return Next::NotYet;
  if (!file_->next) return Next::Nothing;
  file_ = std::shared_ptr<LogFile>(file_->next);
  offset_ = 0;
  return Next::More;
}

void LocalLogStream::finish() {
  if (!waiter_ || reader_.limit_reached()) {
    end_ = StreamEnd::Completed;
    end_reason_ = "end of logs";
  } else if (log_->is_pod_deleted()) {
    end_ = StreamEnd::TargetDeleted;
    end_reason_ = "pod deleted";
  } else {
    end_ = StreamEnd::Completed;
    end_reason_ = "container ended";
  }
}

}  // namespace sluice::backend::local
