// LogSignal: wakes the followers of a container's log after the writer, on another thread,
// committed more. One post a loop a burst, however many follow there; no lock and no system call
// while nobody waits. docs/adr/0004-log-followers-are-signalled-in-process.md says why not inotify.
#pragma once

#include <atomic>
#include <memory>

#include "net/event.h"
#include "net/event_loop.h"
#include "net/task.h"

namespace sluice::backend::local {

class LogSignal : public std::enable_shared_from_this<LogSignal> {
 private:
  struct Loop;

 public:
  LogSignal() = default;
  LogSignal(const LogSignal&) = delete;
  LogSignal& operator=(const LogSignal&) = delete;
  ~LogSignal();

  /// Wakes whoever is armed, soon, on their loops. Any thread; the writer calls it after each
  /// commit.
  void notify();

  /// One follower, on its loop. It arms, looks once more at what it waits for, then waits: a commit
  /// after arm() is never missed.
  class Waiter {
   public:
    /// On the loop of `executor`.
    Waiter(std::shared_ptr<LogSignal> signal, net::Executor executor);
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter();

    void arm();
    /// Completes after a notify() that came after arm(); sometimes without. Errors: Cancelled.
    net::Task<Result<>> wait() { return event_.wait(); }

   private:
    friend class LogSignal;
    void unlink();

    std::shared_ptr<LogSignal> signal_;  // owners: the container's log and its streams
    Loop& loop_;
    net::Event event_;
    Waiter* previous_ = nullptr;
    Waiter* next_ = nullptr;
    bool linked_ = false;  // armed and not yet woken
  };

 private:
  /// The followers of one loop; made once and never removed, since a program has few loops.
  struct Loop {
    explicit Loop(net::Executor loop_executor) : executor(loop_executor) {}
    net::Executor executor;
    std::atomic<bool> armed{false};  // someone waits, and no wake is under way
    Waiter* first = nullptr;         // touched by the loop's thread only
    Loop* next = nullptr;
  };

  Loop& loop_of(const net::Executor& executor);
  static void wake(Loop& loop);

  std::atomic<Loop*> loops_{nullptr};
};

}  // namespace sluice::backend::local
