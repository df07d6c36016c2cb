// FakeLog, FakeProcess, FakePort: what FakeBackend hands out, and the strings a test pulls on the
// other side. Each is shared by the test and the stream opened on it; all of them live on one loop.
// Passive: they run no task, so a test decides what happens when.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/streams.h"
#include "net/event.h"

namespace sluice::testing {

inline constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

/// The log of one run of a container: any number of readers.
class FakeLog final {
 public:
  explicit FakeLog(net::Executor executor) : executor_(executor) {}

  /// A stream over `log`, which it keeps alive.
  static std::unique_ptr<backend::LogStream> open(std::shared_ptr<FakeLog> log,
                                                  backend::LogOptions options);

  /// One line, its '\n' included unless it is the unfinished last one; stamped `at`.
  void append(std::string line, WallTime at = {});
  /// Followers end once they have read all: "container ended", "pod deleted".
  void end(backend::StreamEnd how);
  /// Readers fail, as when the upstream is cut.
  void fail(Error error);

  /// Bytes of text that one read() hands out at most, and of one piece.
  std::size_t block_bytes = 256_KiB;
  std::size_t piece_bytes = 1_MiB;
  /// Streams open now, and blocks that were read in all.
  std::size_t open_streams() const { return waiters_.size(); }
  std::size_t blocks_read = 0;

 private:
  friend class FakeLogStream;
  struct Line {
    std::string text;
    WallTime at;
  };
  void wake();

  net::Executor executor_;
  std::deque<Line> lines_;  // a deque: views of the lines stay valid while it grows
  std::optional<backend::StreamEnd> end_;
  std::optional<Error> error_;
  std::list<net::Event> waiters_;  // one for each open stream
};

/// One process. Its program is what `on_input` and `on_input_end` do; without them it only records.
class FakeProcess final {
 public:
  explicit FakeProcess(net::Executor executor);

  static std::unique_ptr<backend::RemoteProcess> open(std::shared_ptr<FakeProcess> process,
                                                      backend::StreamOptions streams);

  /// Programs. cat: echoes its stdin, exits with 0 at its end.
  static std::shared_ptr<FakeProcess> cat(net::Executor executor);
  /// Writes `output` to stdout and exits.
  static std::shared_ptr<FakeProcess> exits(net::Executor executor, std::string output,
                                            backend::ProcessExit how);
  /// Fills each read with "y\n" until it is dropped.
  static std::shared_ptr<FakeProcess> yes(net::Executor executor);

  void write(backend::OutputChannel channel, std::string text);
  /// The process ends. Its output does, too, unless a descendant holds it: then end_output() does.
  enum class Output { Ends, HeldByDescendant };
  void exit(backend::ProcessExit how, Output output = Output::Ends);
  void end_output();
  /// Drops what nobody has read: an attach joins from now on.
  void forget_output() { output_.clear(); }
  void fail_output(Error error);

  /// How many more bytes of stdin it takes; a write waits while there is no room.
  void set_input_room(std::size_t bytes);

  std::function<void(FakeProcess&, std::string_view)> on_input;
  std::function<void(FakeProcess&)> on_input_end;

  std::string input;  // all that was written to its stdin
  bool input_ended = false;
  bool dropped = false;
  std::vector<backend::TerminalSize> sizes;
  std::vector<std::string> command;
  std::size_t bytes_read = 0;  // of its output

 private:
  friend class FakeProcessStream;
  struct Chunk {
    backend::OutputChannel channel;
    std::string text;
  };

  std::deque<Chunk> output_;
  bool endless_ = false;
  bool output_ended_ = false;
  std::optional<Error> output_error_;
  std::optional<backend::ProcessExit> exit_;
  std::size_t input_room_ = kUnlimited;
  net::Event output_changed_;
  net::Event room_changed_;
  net::Event exited_;
};

/// One TCP connection to a port, seen from the pod.
class FakePort final {
 public:
  explicit FakePort(net::Executor executor);

  static std::unique_ptr<backend::PortStream> open(std::shared_ptr<FakePort> port);

  void send(std::string text);
  /// The pod sends no more: its own end, or that of its pod.
  void end(backend::StreamEnd how = backend::StreamEnd::Completed);
  /// Reads and writes fail from now on.
  void reset(Error error);
  /// How many more bytes it takes; a write waits while there is no room.
  void set_input_room(std::size_t bytes);

  /// What comes in goes out again; the client's half-close ends the pod's side.
  bool echo = false;
  /// Each read is filled, for ever.
  bool endless = false;

  std::string received;
  bool half_closed = false;
  bool dropped = false;
  std::size_t bytes_read = 0;
  std::size_t largest_read = 0;  // the largest buffer that was offered to it

 private:
  friend class FakePortStream;

  /// Asked by each read at the end: all but the first wait for more than the pod's own end.
  bool waits_for_deletion();

  std::string unread_;
  bool end_was_read_ = false;
  std::optional<backend::StreamEnd> end_;
  std::optional<Error> error_;
  std::size_t input_room_ = kUnlimited;
  net::Event readable_;
  net::Event room_changed_;
};

}  // namespace sluice::testing
