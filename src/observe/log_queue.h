// LogQueue: lines on their way to a descriptor, written by a thread of its own, so that whoever
// logs never waits. Bounded: when the descriptor takes no more, the oldest lines go, and are
// counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace sluice {

class LogQueue {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{8} << 20;

  /// `fd` stays the caller's.
  explicit LogQueue(int fd);
  /// Writes out what is queued.
  ~LogQueue();
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;

  /// Any thread. `line` ends with '\n'.
  void push(std::string line);
  /// Lines lost so far. Any thread.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void run();
  void write(const std::deque<std::string>& lines);

  const int fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  bool ended_ = false;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::thread thread_;  // last: it uses the others
};

}  // namespace sluice
