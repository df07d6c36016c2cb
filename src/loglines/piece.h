// What the reader of log lines yields, and what a log stream therefore hands on.
#pragma once

#include <string_view>

namespace sluice::loglines {

/// A piece of one log line as it is sent, its '\n' included. Most lines are one piece; one over 1
/// MiB comes in several, so that no line needs unbounded memory.
struct Piece {
  std::string_view text;
  bool ends_line = true;
};

}  // namespace sluice::loglines
