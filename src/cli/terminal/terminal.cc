#include "cli/terminal/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace sluice::cli {
namespace {

/// The child's whole life. Only async-signal-safe calls: other threads may hold any lock.
[[noreturn]] void guard(int pipe, int terminal, int when, const termios& before) {
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);  // or its group, in the background, could change no terminal
  char word = 0;
  ssize_t count = 0;
  do {
    count = ::read(pipe, &word, 1);
  } while (count < 0 && errno == EINTR);
  if (count == 0) ::tcsetattr(terminal, when, &before);
  ::_exit(0);
}

}  // namespace

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

channel::TerminalSize terminal_size(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

HeldTerminal::HeldTerminal(int descriptor, Mode mode) : descriptor_(descriptor), mode_(mode) {
  std::array<int, 2> ends{};
  if (::tcgetattr(descriptor, &before_) != 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  UniqueFd child_end(ends[0]);
  guard_.reset(ends[1]);
  guardian_ = ::fork();
  if (guardian_ == 0) {
    ::close(ends[1]);
    guard(child_end.get(), descriptor, mode == Mode::Hidden ? TCSAFLUSH : TCSANOW, before_);
  }
  // In a group of its own, so that it outlives ours when that is killed. The child does it, too:
  // whichever comes first.
  if (guardian_ > 0) ::setpgid(guardian_, guardian_);
  termios held = before_;
  if (mode == Mode::Raw) {
    ::cfmakeraw(&held);
  } else {
    held.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  }
  ::tcsetattr(descriptor, TCSANOW, &held);
}

HeldTerminal::~HeldTerminal() {
  if (!guard_) return;
  ::tcsetattr(descriptor_, mode_ == Mode::Hidden ? TCSAFLUSH : TCSADRAIN, &before_);
  const char word = '.';
  // A guardian that is gone has nothing to do any more.
  [[maybe_unused]] const ssize_t written = ::write(guard_.get(), &word, 1);
  guard_.reset();
  if (guardian_ > 0) ::waitpid(guardian_, nullptr, 0);
}

}  // namespace sluice::cli
