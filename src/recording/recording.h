// Recording: one session on record, as the session's loop sees it. When the disk can't keep up,
// what the session carries waits for room, but nothing longer than RecorderOptions::max_lag.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "net/event.h"
#include "net/timers.h"
#include "recording/recorder.h"

namespace sluice::recording {

class Recording {
 public:
  /// Waits until its file is there, max_lag at most. Where that fails and OnFailure is Report, the
  /// recording is one that failed. `recorder` and `timers` outlive it. Errors: Unavailable;
  /// Cancelled.
  static net::Task<Result<std::unique_ptr<Recording>>> begin(Recorder& recorder, Subject subject,
                                                             net::Timers& timers);
  /// One that did not start leaves no file.
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  bool takes_input() const { return recorder_.options().input; }

  /// What it is of runs: from now on its file stays, whatever becomes of the session.
  void start() { has_started_ = true; }
  /// With OnFailure::Refuse, `end_session` is called once when the recording can't go on; from then
  /// on nothing is taken any more.
  void on_failure(std::function<void(const Error&)> end_session);

  /// Takes a copy, when there is room. Outputs and inputs may overlap, each by itself may not. A
  /// recording that failed takes nothing and doesn't wait. Errors: Cancelled, also once it failed
  /// and the session is being ended for that.
  net::Task<Result<>> add_output(Stream stream, Bytes bytes);
  net::Task<Result<>> add_input(Bytes bytes);
  /// Doesn't wait: of several sizes for which there is no room, the last one counts.
  void add_size(unsigned width, unsigned height);

  /// The session has ended: writes that as a marker and waits until the file is complete, max_lag
  /// at most. What was wrong with the recording, if anything was.
  net::Task<std::optional<Error>> finish(std::string reason);

 private:
  /// Shared with what the recorder's thread has posted.
  struct LoopSide {
    explicit LoopSide(net::Executor executor) : output(executor), input(executor) {}
    net::Event output;  // what adds outputs may look again
    net::Event input;
    Recording* owner = nullptr;  // null: it is gone
  };

  Recording(Recorder& recorder, Subject subject, net::Timers& timers, net::Executor executor);
  net::Task<Result<>> opened();
  net::Task<Result<>> add(EventType type, Stream stream, Bytes bytes, net::Event& room);
  bool add_pending_size();
  void fail_lagging();
  void look();
  nanoseconds time() const { return timers_.now() - began_; }
  MonotonicTime deadline() const { return timers_.now() + recorder_.options().max_lag; }

  Recorder& recorder_;
  net::Timers& timers_;
  const MonotonicTime began_;
  std::shared_ptr<LoopSide> loop_side_;
  std::shared_ptr<Track> track_;
  std::string pending_size_;
  std::function<void(const Error&)> end_session_;
  bool has_started_ = false;
};

}  // namespace sluice::recording
