// LoopTasks: the owner of what must go on on a session's loop when the session has let go of it:
// saying goodbye to a pod or to the API server, closing idle connections. One group a loop; the
// backend joins them all.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "net/event_loop.h"
#include "net/task_group.h"

namespace sluice::backend {

class LoopTasks {
 public:
  /// `loops` are all that spawn() is called on; they outlive it.
  explicit LoopTasks(const std::vector<net::EventLoop*>& loops);
  ~LoopTasks();

  /// Starts the task on that loop: the calling one, or one that does not run yet.
  void spawn(const net::Executor& executor, std::string_view name, net::Task<> task);
  /// Cancels and joins what runs, on every loop. Once, on one of the loops, while all run; nothing
  /// is spawned any more.
  net::Task<> stop();

 private:
  struct Loop {
    explicit Loop(net::EventLoop& event_loop)
        : loop(event_loop), tasks(loop.executor()), ending(loop.executor()) {}
    net::EventLoop& loop;
    net::TaskGroup tasks;
    net::TaskGroup ending;  // the task that ends `tasks`
  };
  static net::Task<> wait_for_all(net::Event& ended, const std::size_t& running);
  static net::Task<> end(Loop& loop, std::move_only_function<void()> ended);

  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace sluice::backend
