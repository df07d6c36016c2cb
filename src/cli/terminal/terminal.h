// The terminal that the program runs at.
#pragma once

#include <termios.h>

#include "base/unique_fd.h"
#include "channel/remote_command.h"

namespace sluice::cli {

bool is_terminal(int descriptor);
/// 80x24 where it isn't known.
channel::TerminalSize terminal_size(int descriptor);

/// While it lives, the terminal is in another mode. It is restored in the end, also when the
/// program is killed: a child process waits for that.
class HeldTerminal {
 public:
  enum class Mode {
    Raw,     // hands over each key as it is pressed, Ctrl-C included, and echoes none
    Hidden,  // hands over lines that nobody sees; what was not read by the end is dropped
  };

  /// `descriptor` must be a terminal and stays the caller's. Where it can't be changed, it stays as
  /// it is.
  HeldTerminal(int descriptor, Mode mode);
  ~HeldTerminal();
  HeldTerminal(const HeldTerminal&) = delete;
  HeldTerminal& operator=(const HeldTerminal&) = delete;

 private:
  int descriptor_;
  Mode mode_;
  termios before_{};
  UniqueFd guard_;  // a pipe to the child, who acts when it closes without a word
  int guardian_ = -1;
};

}  // namespace sluice::cli
