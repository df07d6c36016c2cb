// OutputThread: writes to a descriptor that may block (a terminal, a pipe to a pager, a file)
// without holding up the loop. The descriptor is shared with other programs, so it can't be made
// non-blocking: what the kernel does not take at once, a thread writes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cli/terminal/output.h"
#include "net/event.h"

namespace sluice::cli {

class OutputThread final : public Output {
 public:
  /// What may wait to be written; whoever produces more has to wait().
  static constexpr std::size_t kMaxWaitingBytes = 1_MiB;

  /// `descriptor` stays the caller's.
  OutputThread(net::Executor executor, int descriptor);
  /// Gives up what was not written; flush() before.
  ~OutputThread() override;
  OutputThread(const OutputThread&) = delete;
  OutputThread& operator=(const OutputThread&) = delete;

  /// Leaves at once, what can't in the background.
  void append(Bytes bytes) override;
  /// Until less than kMaxWaitingBytes wait; one waiter at a time. Of an error has_reader() tells
  /// whether a closed pipe is why.
  net::Task<Result<>> wait() override;
  /// Until all is written. Errors: as wait().
  net::Task<Result<>> flush();
  /// False: the pipe that we write to was closed.
  bool has_reader() const;

 private:
  std::size_t write_at_once(Bytes bytes);
  net::Task<Result<>> wait_until_below(std::size_t bytes);
  void run(const std::stop_token& stop);
  void write_all(const std::vector<std::byte>& bytes, const std::stop_token& stop);

  net::Executor executor_;
  int descriptor_;
  std::shared_ptr<net::Event> progress_;  // shared with what the thread has posted

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::byte> waiting_;
  std::size_t writing_ = 0;  // bytes that the thread has taken
  bool is_awaited_ = false;  // its progress is
  bool may_write_at_once_ = true;
  int error_ = 0;  // errno of a failed write

  std::jthread thread_;  // last: uses the others
};

}  // namespace sluice::cli
