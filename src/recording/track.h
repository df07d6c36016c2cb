// Track: one recording, between its session's loop and the recorder's thread; shared by both.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "recording/asciicast_encoder.h"
#include "recording/recording_file.h"

namespace sluice::recording {

/// What is recorded.
struct Subject {
  std::string file_name;
  std::string user;  // whose share of the recorder it takes
  Header header;
};

struct Track {
  Track(Subject recorded, std::function<void()> on_change)
      : subject(std::move(recorded)), changed(std::move(on_change)) {}

  enum class State { Opening, Open, Closed };
  enum class Ending { Keep, Discard };
  struct Piece {
    nanoseconds time{};
    EventType type = EventType::Output;
    Stream stream = Stream::Stdout;  // of outputs and inputs
    std::string bytes;

    /// What it takes of what may be queued: many small ones are bounded, too.
    std::size_t size() const { return bytes.size() + 64; }
  };

  const Subject subject;

  // Guarded by the recorder's mutex.
  std::function<void()> changed;  // tells the loop to look; empty once nobody does
  State state = State::Opening;
  std::optional<Error> failure;
  std::optional<Ending> ending;
  std::deque<Piece> pieces;
  std::size_t queued_bytes = 0;  // of them, and of those that are being written
  bool is_queued = false;        // for the thread
  bool is_waiting = false;       // for room

  // The thread's.
  std::unique_ptr<RecordingFile> file;
  AsciicastEncoder encoder;
  std::uint64_t event_bytes = 0;  // in the file
  nanoseconds last_time{};
};

}  // namespace sluice::recording
