// InputThread: reads a descriptor that may block (a terminal, a pipe, a file) without holding up
// the loop, as OutputThread writes one.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "net/event.h"

namespace sluice::cli {

class InputThread {
 public:
  /// What is read at once, and at most waits for read().
  static constexpr std::size_t kBlockBytes = 64_KiB;

  /// `descriptor` stays the caller's. Reading begins at once.
  InputThread(net::Executor executor, int descriptor);
  /// What was read and not asked for is lost.
  ~InputThread();
  InputThread(const InputThread&) = delete;
  InputThread& operator=(const InputThread&) = delete;

  /// The next bytes; empty: their end, or an error, after which none come either. One at a time.
  /// Errors: Cancelled.
  net::Task<Result<std::vector<std::byte>>> read();

 private:
  void run(const std::stop_token& stop);
  bool wait_readable(const std::stop_token& stop);

  net::Executor executor_;
  int descriptor_;
  UniqueFd wake_;                         // an eventfd: ends the thread's wait
  std::shared_ptr<net::Event> progress_;  // shared with what the thread has posted

  std::mutex mutex_;
  std::condition_variable_any taken_;
  std::vector<std::byte> block_;
  bool ended_ = false;

  std::jthread thread_;  // last: uses the others
};

}  // namespace sluice::cli
