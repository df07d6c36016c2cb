// LogQueue: lines on their way to a descriptor, written by a thread of its own, so that whoever
// logs never waits. Bounded: when the descriptor takes no more, the oldest lines go, and are
// counted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "observe/bounded_thread.h"

namespace sluice {

class LogQueue {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{8} << 20;
  /// How long the end waits for a descriptor that takes nothing.
  static constexpr seconds kPatience{2};

  /// `fd` stays the caller's.
  explicit LogQueue(int fd, nanoseconds patience = kPatience);
  /// Writes out what is queued, if that is possible within `patience`.
  ~LogQueue();
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;

  /// Any thread. `line` ends with '\n'.
  void push(std::string line);
  /// Lines lost so far. Any thread.
  std::uint64_t dropped() const;

 private:
  class Writer;
  const nanoseconds patience_;
  const std::shared_ptr<Writer> writer_;  // the thread owns it, too: it may hang
  BoundedThread thread_;
};

}  // namespace sluice
