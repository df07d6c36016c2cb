// TerminalModes: which modes of a terminal what is shown at it has changed, so that they can be
// undone: the alternate screen, a hidden cursor, reports of the mouse, colours (ECMA-48; xterm's
// private modes, CSI ? Pm h and l).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sluice::cli {

class TerminalModes {
 public:
  /// What is written to the terminal, cut anywhere.
  void feed(std::string_view output);
  /// What puts the terminal back to where it began; "" when nothing was changed.
  std::string restoring() const;

 private:
  enum class State { Text, Escape, Control, Private };

  void feed_private(char next);

  State state_ = State::Text;
  std::string numbers_;             // of the sequence at hand
  std::map<unsigned, bool> modes_;  // as they were last set
  bool has_escapes_ = false;
};

}  // namespace sluice::cli
