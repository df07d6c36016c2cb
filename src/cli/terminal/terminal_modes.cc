#include "cli/terminal/terminal_modes.h"

#include <fmt/format.h>

namespace sluice::cli {
namespace {

struct KnownMode {
  unsigned number;
  bool is_set;  // before anybody changes it
};

constexpr KnownMode kModes[] = {
    {1, false},     // cursor keys send what applications want
    {7, true},      // long lines wrap
    {25, true},     // the cursor is seen
    {47, false},    // the alternate screen, and two newer forms of it below
    {1000, false},  // the mouse is reported, and more of it below
    {1002, false}, {1003, false}, {1004, false}, {1005, false}, {1006, false},
    {1015, false}, {1047, false}, {1049, false}, {2004, false},  // pasted text is bracketed
};

constexpr char kEscape = '\x1b';

}  // namespace

void TerminalModes::feed(std::string_view output) {
  for (const char next : output) {
    if (next == kEscape) {
      has_escapes_ = true;
      state_ = State::Escape;
      continue;
    }
    switch (state_) {
      case State::Text: break;
      case State::Escape: state_ = next == '[' ? State::Control : State::Text; break;
      case State::Control:
        state_ = next == '?' ? State::Private : State::Text;
        numbers_.clear();
        break;
      case State::Private: feed_private(next); break;
    }
  }
}

void TerminalModes::feed_private(char next) {
  constexpr std::size_t kMaxNumbers = 64;
  const bool goes_on = (next >= '0' && next <= '9') || next == ';';
  if (goes_on && numbers_.size() < kMaxNumbers) {
    numbers_ += next;
    return;
  }
  state_ = State::Text;
  if (next != 'h' && next != 'l') return;
  const std::string listed = ';' + numbers_ + ';';
  for (const KnownMode& mode : kModes) {
    if (listed.contains(fmt::format(";{};", mode.number))) modes_[mode.number] = next == 'h';
  }
}

std::string TerminalModes::restoring() const {
  std::string text;
  for (const KnownMode& mode : kModes) {
    const auto now = modes_.find(mode.number);
    if (now == modes_.end() || now->second == mode.is_set) continue;
    text += fmt::format("{}[?{}{}", kEscape, mode.number, mode.is_set ? 'h' : 'l');
  }
  // Colours, the keypad, the character set.
  if (has_escapes_) text += fmt::format("{0}[0m{0}>{0}(B", kEscape);
  return text;
}

}  // namespace sluice::cli
