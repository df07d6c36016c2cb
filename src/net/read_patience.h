// ReadPatience: while a TCP socket brings bulk, its reader is woken for a good part of it at a time
// (SO_RCVLOWAT, socket(7)) and not for each piece that the sender writes: to be woken, and to hand
// on what has come, costs as much as the copying of many kilobytes. What comes last is late by
// kPatience at most, and only behind so much that this makes little difference.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/task.h"

namespace sluice::net {

class ReadPatience final {
 public:
  /// So much within so long is bulk, until a wait ends without kWantedBytes.
  static constexpr std::size_t kBulkBytes = 512_KiB;
  static constexpr nanoseconds kBulkTime = milliseconds(4);
  /// The reader is woken for so much, or once it has waited so long.
  static constexpr std::size_t kWantedBytes = 64_KiB;
  static constexpr nanoseconds kPatience = std::chrono::microseconds(500);

  /// To be called when the reader is about to wait for the socket `fd`, on the loop of `executor`.
  void begin_wait(const Executor& executor, int fd, MonotonicTime now);
  /// The wait, if there was one, is over.
  void note_read(std::size_t bytes);
  /// To be called before the socket is closed.
  void stop() { wait_.reset(); }

 private:
  struct Wait;

  bool is_patient() const;
  bool is_bulk(MonotonicTime now);

  MonotonicTime begin_;         // of what is_bulk() judges next
  std::size_t bytes_ = 0;       // read since
  std::shared_ptr<Wait> wait_;  // none before the first bulk
};

}  // namespace sluice::net
