#include "cli/replay.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/interruptible.h"
#include "cli/terminal/terminal.h"
#include "cli/terminal/terminal_modes.h"
#include "net/timers.h"
#include "recording/asciicast.h"

namespace sluice::cli {
namespace {

using recording::Event;
using recording::EventType;
using recording::Header;

/// The longest line that is read: one event.
constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

class CastFile {
 public:
  static Result<CastFile> open(const std::string& path, Interruptible& io) {
    CastFile file(io);
    if (path == "-") return file;
    file.own_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.own_) return fail(ErrorCode::InvalidArgument, std::strerror(errno));
    file.descriptor_ = file.own_.get();
    return file;
  }

  /// The next line without its end; nullopt: there is none. Errors: InvalidArgument.
  Result<std::optional<std::string>> next_line() {
    std::size_t searched = 0;
    while (true) {
      const std::size_t end = waiting_.find('\n', searched);
      if (end != std::string::npos) return take(end, end + 1);
      searched = waiting_.size();
      if (searched > kMaxLineBytes) return fail(ErrorCode::InvalidArgument, "the line is too long");
      TRY(const std::string block, io_.read(descriptor_));
      if (block.empty()) break;
      waiting_ += block;
    }
    is_cut_ = !waiting_.empty();
    if (!is_cut_) return std::nullopt;
    return take(waiting_.size(), waiting_.size());
  }
  std::size_t line_number() const { return lines_; }
  /// The last line had no end.
  bool is_cut() const { return is_cut_; }

 private:
  explicit CastFile(Interruptible& io) : io_(io) {}

  std::optional<std::string> take(std::size_t size, std::size_t with_end) {
    ++lines_;
    std::string line = waiting_.substr(0, size);
    waiting_.erase(0, with_end);
    return line;
  }

  Interruptible& io_;
  UniqueFd own_;
  int descriptor_ = STDIN_FILENO;
  std::string waiting_;
  std::size_t lines_ = 0;
  bool is_cut_ = false;
};

class Player {
 public:
  Player(const ReplayOptions& options, Interruptible& io) : options_(options), io_(io) {}

  Result<> play(CastFile& file) {
    due_ = clock_.now();
    while (true) {
      TRY(const std::optional<std::string> line, file.next_line());
      if (!line) return {};
      if (line->empty()) continue;
      const Result<Event> event = recording::parse_event(*line);
      if (!event && file.is_cut()) {
        notes_.emplace_back("the recording was cut here");
        return {};
      }
      if (!event) return fail(Error(event.error()));
      TRY_VOID(show(*event));
    }
  }

  /// Ends what the recording began at the terminal, and says what there is to say of it.
  void end() {
    if (is_terminal(STDOUT_FILENO)) (void)print(modes_.restoring());
    for (const std::string& text : notes_) note(text);
  }

 private:
  Result<> show(const Event& event) {
    if (event.type == EventType::Marker && event.text.starts_with(recording::kIncompleteMark)) {
      notes_.push_back(event.text);
    }
    const bool is_shown =
        event.type == EventType::Output || (event.type == EventType::Input && options_.input);
    if (!is_shown) return {};
    due_ += pause_before(event.time);
    shown_until_ = event.time;
    TRY_VOID(io_.sleep_until(due_));
    modes_.feed(event.text);
    return io_.write(STDOUT_FILENO, event.text);
  }

  /// Between what was shown and what comes at this time.
  nanoseconds pause_before(nanoseconds time) const {
    using Seconds = std::chrono::duration<double>;
    constexpr Seconds kLongest(1e9);
    Seconds pause = std::max(time - shown_until_, nanoseconds(0));
    if (options_.idle_limit_seconds) {
      pause = std::min(pause, Seconds(*options_.idle_limit_seconds));
    }
    return std::chrono::duration_cast<nanoseconds>(std::min(pause / options_.speed, kLongest));
  }

  const ReplayOptions& options_;
  Interruptible& io_;
  net::SystemTimers clock_;
  TerminalModes modes_;
  nanoseconds shown_until_{};
  MonotonicTime due_;
  std::vector<std::string> notes_;
};

void compare_sizes(const Header& header) {
  if (!is_terminal(STDOUT_FILENO)) return;
  const channel::TerminalSize size = terminal_size(STDOUT_FILENO);
  if (header.width <= size.width && header.height <= size.height) return;
  note(fmt::format("the recording is of a terminal of {}x{}; this one is smaller, {}x{}",
                   header.width, header.height, size.width, size.height));
}

Result<> replay(const ReplayOptions& options, Interruptible& io, CastFile& file) {
  TRY(const std::optional<std::string> first, file.next_line());
  TRY(const Header header, recording::parse_header(first.value_or("")));
  compare_sizes(header);
  // What is typed meanwhile is not part of it.
  std::optional<HeldTerminal> held;
  if (is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO)) {
    held.emplace(STDIN_FILENO, HeldTerminal::Mode::Hidden);
  }
  Player player(options, io);
  Result<> played = player.play(file);
  player.end();
  return played;
}

}  // namespace

Result<int> run_replay(const ReplayOptions& options) {
  Interruptible io;
  const std::string name = options.file == "-" ? "stdin" : options.file;
  Result<CastFile> file = CastFile::open(options.file, io);
  if (!file) return fail(ErrorCode::InvalidArgument, name + ": " + file.error().message);
  Result<> played = replay(options, io, *file);
  if (played) return kSuccess;
  switch (played.error().code) {
    case ErrorCode::Cancelled: return kSignalBase + io.signal();
    case ErrorCode::Unavailable: return kSignalBase + SIGPIPE;
    default: break;
  }
  Error error = std::move(played).error();
  error.message = fmt::format("{}, line {}: {}", name,
                              std::max<std::size_t>(file->line_number(), 1), error.message);
  return fail(std::move(error));
}

}  // namespace sluice::cli
