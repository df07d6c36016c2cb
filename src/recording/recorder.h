// Recorder: writes recordings by a thread of its own, so that no loop waits for a disk. What waits
// to be written is bounded (track_queue.h); who makes more waits, or gives up, as Recording
// (recording.h) has it for a session.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "observe/metrics.h"
#include "recording/recording_file.h"
#include "recording/track_queue.h"

namespace sluice::recording {

/// What a recording that can't go on means for its session.
enum class OnFailure {
  Report,  // it goes on unrecorded; log, metrics and audit trail tell
  Refuse,  // it doesn't begin, or is ended
};

struct RecorderOptions {
  nanoseconds max_lag = seconds(1);  // how long what a session carries may wait for room
  std::uint64_t max_bytes = std::uint64_t{1} << 30;  // of the events of one file
  OnFailure on_failure = OnFailure::Report;
  bool input = false;  // what clients send is recorded, too
};

class Recorder {
 public:
  enum class Pushed { Taken, Full, Failed };

  Recorder(std::unique_ptr<RecordingStore> store, RecorderOptions options, Metrics& metrics);
  /// Writes out what is queued. All recordings have ended.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  const RecorderOptions& options() const { return options_; }

  // What Recording does with its track, on its loop. None of it waits for the disk.

  /// Has its file made.
  void open(const std::shared_ptr<Track>& track);
  /// Copies the bytes if there is room. Full: `changed` will be called when it pays to try again.
  Pushed push(const std::shared_ptr<Track>& track, nanoseconds time, EventType type, Stream stream,
              std::string_view bytes);
  /// It can't go on; the first error is kept.
  void fail(const std::shared_ptr<Track>& track, Error error);
  void end(const std::shared_ptr<Track>& track, Track::Ending ending);
  /// `changed` is called no more.
  void leave(Track& track);
  Track::State state(const Track& track) const;
  std::optional<Error> failure(const Track& track) const;

 private:
  /// What the thread does of a track in one turn.
  struct Work {
    Track::State state = Track::State::Opening;  // before
    std::deque<Track::Piece> pieces;
    std::size_t bytes = 0;
    // Once there is nothing left to be written before:
    std::optional<Error> failure;
    std::optional<Track::Ending> ending;
  };

  void run();
  Result<Track::State> carry_out(Track& track, const Work& work);
  Result<> make_file(Track& track);
  Result<Track::State> write(Track& track, const Work& work);
  Result<> append(Track& track, std::string_view lines);

  // With the mutex held.
  static Work take_work(Track& track);
  void conclude(const std::shared_ptr<Track>& track, const Work& work, Track::State state);
  void enqueue(const std::shared_ptr<Track>& track);
  void keep_failure(Track& track, Error error);

  const RecorderOptions options_;
  const std::unique_ptr<RecordingStore> store_;
  Metrics& metrics_;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  TrackQueue queue_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace sluice::recording
