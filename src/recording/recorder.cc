#include "recording/recorder.h"

#include <utility>

#include <fmt/format.h>

#include "observe/log.h"

namespace sluice::recording {
namespace {

/// What is written of a recording in one turn. As lines it may be six times as much: a NUL is
/// \u0000.
constexpr std::size_t kTurnBytes = std::size_t{64} << 10;

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
    if (piece.type == EventType::Marker) encoder.finish(piece.time, lines);  // it is the last event
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
  if (!queue_.put(track, std::move(piece))) {
    queue_.await_room(track);
    return Pushed::Full;
  }
  work_.notify_one();
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
  queue_.add(track);
  work_.notify_one();
}

void Recorder::keep_failure(Track& track, Error error) {
  if (track.failure || track.state == Track::State::Closed) return;
  metrics_.recording_failed();
  log(LogLevel::Warning, "recording failed", error, {{"recording", track.subject.file_name}});
  track.failure = std::move(error);
}

void Recorder::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return ended_ || !queue_.is_empty(); });
    if (queue_.is_empty()) return;
    const std::shared_ptr<Track> track = queue_.take();
    Work work = take_work(*track);
    lock.unlock();
    Result<Track::State> state = carry_out(*track, work);
    work.pieces.clear();
    lock.lock();
    if (!state) keep_failure(*track, state.error());
    conclude(track, work, state.value_or(Track::State::Closed));
  }
}

/// As much as one turn allows; of what is not to be written, all.
Recorder::Work Recorder::take_work(Track& track) {
  Work work;
  work.state = track.state;
  const bool is_written =
      track.state != Track::State::Closed && track.ending != Track::Ending::Discard;
  while (!track.pieces.empty() && (work.bytes < kTurnBytes || !is_written)) {
    work.bytes += track.pieces.front().size();
    work.pieces.push_back(std::move(track.pieces.front()));
    track.pieces.pop_front();
  }
  if (!track.pieces.empty()) return work;
  work.failure = track.failure;
  work.ending = track.ending;
  return work;
}

/// The track's new state. An error closes it, too.
Result<Track::State> Recorder::carry_out(Track& track, const Work& work) {
  if (work.state == Track::State::Closed) return Track::State::Closed;
  const bool is_discarded = work.ending == Track::Ending::Discard;
  if (work.state == Track::State::Opening) {
    if (work.failure || is_discarded) return Track::State::Closed;
    TRY_VOID(make_file(track));
  }
  Result<Track::State> state = Track::State::Closed;
  if (is_discarded) {
    track.file->remove();
  } else {
    state = write(track, work);
  }
  if (state == Track::State::Open) return state;
  track.file.reset();
  metrics_.recording_closed();
  return state;
}

/// Leaves none where its first line can't be written.
Result<> Recorder::make_file(Track& track) {
  Result<std::unique_ptr<RecordingFile>> file = store_->create(track.subject.file_name);
  if (!file) return not_written(std::move(file).error());
  track.file = *std::move(file);
  const Result<> begun = append(track, format_header(track.subject.header));
  if (begun) {
    metrics_.recording_opened();
  } else {
    track.file->remove();
    track.file.reset();
  }
  return begun;
}

Result<Track::State> Recorder::write(Track& track, const Work& work) {
  std::string lines;
  for (const Track::Piece& piece : work.pieces) {
    const std::size_t before = lines.size();
    track.last_time = piece.time;
    add(track.encoder, piece, lines);
    const bool fits = track.event_bytes + lines.size() <= options_.max_bytes;
    if (fits || piece.type == EventType::Marker) continue;  // what ends it always finds room
    lines.resize(before);
    Error error = too_large();
    add_incomplete(track, error, lines);
    TRY_VOID(append(track, lines));
    return sluice::fail(std::move(error));
  }
  if (work.failure) {
    add_incomplete(track, *work.failure, lines);
  } else if (work.ending) {
    track.encoder.finish(track.last_time, lines);
  }
  TRY_VOID(append(track, lines));
  track.event_bytes += lines.size();
  return work.failure || work.ending ? Track::State::Closed : Track::State::Open;
}

Result<> Recorder::append(Track& track, std::string_view lines) {
  if (lines.empty()) return {};
  Result<> appended = track.file->append(lines);
  if (!appended) return not_written(std::move(appended).error());
  metrics_.recording_bytes(lines.size());
  return {};
}

void Recorder::conclude(const std::shared_ptr<Track>& track, const Work& work, Track::State state) {
  const Track::State before = std::exchange(track->state, state);
  queue_.release(*track, work.bytes);
  if (track->changed && state != before) track->changed();
  if (!track->pieces.empty()) enqueue(track);
}

}  // namespace sluice::recording
