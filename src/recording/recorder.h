// Recorder: writes recordings by a thread of its own, so that no loop waits for a disk. What waits
// to be written is bounded, for each recording and in all; who makes more waits, or gives up, as
// Recording (recording.h) has it for a session.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "observe/metrics.h"
#include "recording/asciicast_encoder.h"
#include "recording/recording_file.h"

namespace sluice::recording {

/// What a recording that can't go on means for its session.
enum class OnFailure {
  Report,  // it goes on unrecorded; log, metrics and audit trail tell
  Refuse,  // it doesn't begin, or is ended
};

struct RecorderOptions {
  nanoseconds max_lag = seconds(1);  // how long what a session carries may wait for room
  std::uint64_t max_bytes = std::uint64_t{1} << 30;  // of one file
  OnFailure on_failure = OnFailure::Report;
  bool input = false;  // what clients send is recorded, too
};

/// One recording, between its session's loop and the recorder's thread; shared by both.
struct Track {
  Track(std::string file_name, Header cast_header, std::function<void()> on_change)
      : name(std::move(file_name)), header(std::move(cast_header)), changed(std::move(on_change)) {}

  enum class State { Opening, Open, Closed };
  enum class Ending { Keep, Discard };
  struct Piece {
    nanoseconds time{};
    EventType type = EventType::Output;
    Stream stream = Stream::Stdout;  // of outputs and inputs
    std::string bytes;
  };

  const std::string name;
  const Header header;

  // Guarded by the recorder's mutex.
  std::function<void()> changed;  // tells the loop to look; empty once nobody does
  State state = State::Opening;
  std::optional<Error> failure;
  std::optional<Ending> ending;
  std::vector<Piece> pieces;
  std::size_t queued_bytes = 0;  // of them, and of those that are being written
  bool is_queued = false;        // for the thread
  bool is_waiting = false;       // for room

  // The thread's.
  std::unique_ptr<RecordingFile> file;
  AsciicastEncoder encoder;
  std::uint64_t file_bytes = 0;
  nanoseconds last_time{};
};

class Recorder {
 public:
  static constexpr std::size_t kMaxQueuedOfOne = std::size_t{1} << 20;
  static constexpr std::size_t kMaxQueued = std::size_t{64} << 20;
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
  /// What the thread takes off a track at once.
  struct Work {
    std::vector<Track::Piece> pieces;
    std::size_t bytes = 0;
    std::optional<Error> failure;
    std::optional<Track::Ending> ending;
  };

  void run();
  Result<> carry_out(Track& track, const Work& work);
  Result<> make_file(Track& track);
  Result<> write_pieces(Track& track, const Work& work);
  Result<> append(Track& track, std::string_view lines);
  void close(Track& track);

  // With the mutex held.
  void conclude(Track& track, const Work& work);
  void enqueue(const std::shared_ptr<Track>& track);
  void keep_failure(Track& track, Error error);

  const RecorderOptions options_;
  const std::unique_ptr<RecordingStore> store_;
  Metrics& metrics_;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::shared_ptr<Track>> queue_;     // each once
  std::vector<std::shared_ptr<Track>> waiting_;  // for room among all
  std::size_t queued_bytes_ = 0;
  bool ended_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace sluice::recording
