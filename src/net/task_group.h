// TaskGroup: the owner of background tasks. It starts them, cancels them, and can be waited for;
// after join() nothing of them runs. Model: kj TaskSet.
#pragma once

#include <list>
#include <string_view>

#include <boost/asio/cancellation_signal.hpp>

#include "net/event.h"
#include "net/steady_timer.h"
#include "net/task.h"

namespace sluice::net {

class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  /// The group must be empty: cancel() and join() it first.
  ~TaskGroup();

  /// Starts the task on the group's loop, after the current one suspends. `name` is a literal, for
  /// the log line that an escaped exception gets: one that reaches here is a defect, ends its task
  /// only, and is counted.
  void spawn(std::string_view name, Task<> task);
  /// Asks all running tasks to end: each wait in them completes with Cancelled.
  void cancel();
  /// Waits until none is left. One caller at a time. It waits even when the caller itself is
  /// cancelled: what the tasks use may be destroyed only afterwards.
  Task<> join();
  /// As join(), but a caller that is cancelled cancels the tasks, too.
  Task<> finish();

  std::size_t size() const { return running_.size(); }

 private:
  struct Running {
    boost::asio::cancellation_signal signal;
    bool started = false;
    bool cancelled = false;
  };
  using Position = std::list<Running>::iterator;
  static Task<> run(Position position, Task<> task);
  void ended(Position task, std::string_view name, std::exception_ptr exception);

  Executor executor_;
  std::list<Running> running_;
  SteadyTimer empty_;
};

}  // namespace sluice::net
