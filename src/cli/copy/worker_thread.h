// WorkerThread: something that blocks (disks, pipes), done on a thread of its own while the loop
// goes on.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "net/event.h"

namespace sluice::cli {

class WorkerThread {
 public:
  using Work = std::move_only_function<Result<>(const std::stop_token&)>;

  /// Begins at once. What `work` captures, it takes along: it is destroyed when it is done.
  WorkerThread(net::Executor executor, Work work);
  /// Asks it to stop, and waits: whatever it may block on must have ended.
  ~WorkerThread() = default;
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  /// How it ended, once it has. Errors: those of the work; Cancelled.
  net::Task<Result<>> result();

 private:
  struct Shared {  // with the thread, and with what it has posted
    explicit Shared(net::Executor executor) : done(executor) {}
    net::Event done;
    std::mutex mutex;
    std::optional<Result<>> result;
  };

  std::shared_ptr<Shared> shared_;
  std::jthread thread_;
};

}  // namespace sluice::cli
