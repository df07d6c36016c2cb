#include "recording/recorder.h"

#include <utility>

#include <fmt/format.h>

#include "observe/log.h"

namespace sluice::recording {
namespace {

/// What a piece takes beside its bytes: many small ones are bounded, too.
constexpr std::size_t kPieceBytes = 64;

/// What is written at once.
constexpr std::size_t kWriteBytes = std::size_t{256} << 10;

Error too_large() {
  return Error{.code = ErrorCode::Unavailable,
               .message = "the session's recording has reached its largest size"};
}

/// What the store says is for the log: it names the server's files.
std::unexpected<Error> not_written(Error error) {
  error.message = "the session's recording can't be written";
  return fail(std::move(error));
}

void add(AsciicastEncoder& encoder, const Track::Piece& piece, std::string& lines) {
  if (piece.type == EventType::Output || piece.type == EventType::Input) {
    encoder.add_bytes(piece.time, piece.stream, piece.bytes, lines);
  } else {
    encoder.add_text(piece.time, piece.type, piece.bytes, lines);
  }
}

/// A marker that ends what there is of a recording.
void add_incomplete(Track& track, const Error& error, std::string& lines) {
  track.encoder.finish(track.last_time, lines);
  append_event(lines, track.last_time, EventType::Marker,
               fmt::format("{}{}", kIncompleteMark, error.message));
}

}  // namespace

Recorder::Recorder(std::unique_ptr<RecordingStore> store, RecorderOptions options, Metrics& metrics)
    : options_(options), store_(std::move(store)), metrics_(metrics), thread_([this] { run(); }) {}

Recorder::~Recorder() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void Recorder::open(const std::shared_ptr<Track>& track) {
  const std::lock_guard lock(mutex_);
  enqueue(track);
}

Recorder::Pushed Recorder::push(const std::shared_ptr<Track>& track, nanoseconds time,
                                EventType type, Stream stream, std::string_view bytes) {
  Track::Piece piece{time, type, stream, std::string(bytes)};  // copied without the lock
  const std::lock_guard lock(mutex_);
  if (track->failure || track->ending) return Pushed::Failed;
  const bool all_full = queued_bytes_ >= kMaxQueued;
  if (all_full || track->queued_bytes >= kMaxQueuedOfOne) {
    if (all_full) waiting_.push_back(track);
    track->is_waiting = true;
    return Pushed::Full;
  }
  track->pieces.push_back(std::move(piece));
  track->queued_bytes += bytes.size() + kPieceBytes;
  queued_bytes_ += bytes.size() + kPieceBytes;
  enqueue(track);
  return Pushed::Taken;
}

void Recorder::fail(const std::shared_ptr<Track>& track, Error error) {
  const std::lock_guard lock(mutex_);
  keep_failure(*track, std::move(error));
  enqueue(track);
}

void Recorder::end(const std::shared_ptr<Track>& track, Track::Ending ending) {
  const std::lock_guard lock(mutex_);
  if (!track->ending) track->ending = ending;
  enqueue(track);
}

void Recorder::leave(Track& track) {
  const std::lock_guard lock(mutex_);
  track.changed = nullptr;
}

Track::State Recorder::state(const Track& track) const {
  const std::lock_guard lock(mutex_);
  return track.state;
}

std::optional<Error> Recorder::failure(const Track& track) const {
  const std::lock_guard lock(mutex_);
  return track.failure;
}

void Recorder::enqueue(const std::shared_ptr<Track>& track) {
  if (std::exchange(track->is_queued, true)) return;
  queue_.push_back(track);
  work_.notify_one();
}

void Recorder::keep_failure(Track& track, Error error) {
  if (track.failure || track.state == Track::State::Closed) return;
  metrics_.recording_failed();
  log(LogLevel::Warning, "recording failed", error, {{"recording", track.name}});
  track.failure = std::move(error);
}

void Recorder::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return ended_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::shared_ptr<Track> track = std::move(queue_.front());
    queue_.pop_front();
    track->is_queued = false;
    Work work{std::exchange(track->pieces, {}), track->queued_bytes, track->failure, track->ending};
    const bool is_closed = track->state == Track::State::Closed;
    lock.unlock();
    Result<> done;
    if (!is_closed) done = carry_out(*track, work);
    work.pieces = {};
    lock.lock();
    if (!done) keep_failure(*track, std::move(done).error());
    conclude(*track, work);
  }
}

/// Leaves the track without a file when it is over.
Result<> Recorder::carry_out(Track& track, const Work& work) {
  if (!track.file) {
    if (work.failure || work.ending == Track::Ending::Discard) return {};
    TRY_VOID(make_file(track));
  }
  if (work.ending == Track::Ending::Discard) {
    track.file->remove();
    close(track);
    return {};
  }
  Result<> written = write_pieces(track, work);
  if (!written || work.failure || work.ending) close(track);
  return written;
}

Result<> Recorder::make_file(Track& track) {
  Result<std::unique_ptr<RecordingFile>> file = store_->create(track.name);
  if (!file) return not_written(std::move(file).error());
  track.file = *std::move(file);
  metrics_.recording_opened();
  const Result<> begun = append(track, format_header(track.header));
  if (!begun) {
    track.file->remove();
    close(track);
  }
  return begun;
}

Result<> Recorder::write_pieces(Track& track, const Work& work) {
  std::string lines;
  for (const Track::Piece& piece : work.pieces) {
    const std::size_t before = lines.size();
    track.last_time = piece.time;
    add(track.encoder, piece, lines);
    if (track.file_bytes + lines.size() > options_.max_bytes) {
      lines.resize(before);
      Error error = too_large();
      add_incomplete(track, error, lines);
      TRY_VOID(append(track, lines));
      return sluice::fail(std::move(error));
    }
    if (lines.size() < kWriteBytes) continue;
    TRY_VOID(append(track, lines));
    lines.clear();
  }
  if (work.failure) {
    add_incomplete(track, *work.failure, lines);
  } else if (work.ending) {
    track.encoder.finish(track.last_time, lines);
  }
  return append(track, lines);
}

Result<> Recorder::append(Track& track, std::string_view lines) {
  if (lines.empty()) return {};
  Result<> appended = track.file->append(lines);
  if (!appended) return not_written(std::move(appended).error());
  track.file_bytes += lines.size();
  metrics_.recording_bytes(lines.size());
  return {};
}

void Recorder::close(Track& track) {
  track.file.reset();
  metrics_.recording_closed();
}

void Recorder::conclude(Track& track, const Work& work) {
  const Track::State before =
      std::exchange(track.state, track.file ? Track::State::Open : Track::State::Closed);
  track.queued_bytes -= work.bytes;
  queued_bytes_ -= work.bytes;
  const bool was_waiting = std::exchange(track.is_waiting, false);
  if (track.changed && (was_waiting || track.state != before)) track.changed();
  if (queued_bytes_ >= kMaxQueued) return;
  for (const std::shared_ptr<Track>& waiting : std::exchange(waiting_, {})) {
    if (std::exchange(waiting->is_waiting, false) && waiting->changed) waiting->changed();
  }
}

}  // namespace sluice::recording
