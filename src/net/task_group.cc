#include "net/task_group.h"

#include <cassert>
#include <exception>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "net/wait.h"
#include "observe/log.h"
#include "observe/task_count.h"

namespace sluice::net {
TaskGroup::TaskGroup(Executor executor)
    : executor_(executor), empty_(executor, std::chrono::steady_clock::time_point::max()) {}

TaskGroup::~TaskGroup() { assert(running_.empty()); }

/// The body of every spawned task: errors are values, so a cancelled wait must not throw.
Task<> TaskGroup::run(Position position, Task<> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  position->started = true;
  if (position->cancelled) position->signal.emit(boost::asio::cancellation_type::terminal);
  co_await std::move(task);
}

void TaskGroup::spawn(std::string_view name, Task<> task) {
  const Position position = running_.emplace(running_.end());
  task_started();
  boost::asio::co_spawn(
      executor_, run(position, std::move(task)),
      boost::asio::bind_cancellation_slot(position->signal.slot(),
                                          [this, position, name](std::exception_ptr exception) {
                                            ended(position, name, std::move(exception));
                                          }));
}

void TaskGroup::cancel() {
  // emit() runs no task: what it completes is posted, so the list is stable here.
  for (Running& task : running_) {
    task.cancelled = true;
    // co_spawn() throws out of the loop for what is cancelled before it has started.
    if (task.started) task.signal.emit(boost::asio::cancellation_type::terminal);
  }
}

Task<> TaskGroup::join() {
  // A cancelled caller is woken once, and waits again: what the tasks use must outlive them.
  while (!running_.empty()) co_await empty_.async_wait(kAwait);
}

Task<> TaskGroup::finish() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  while (!running_.empty()) {
    if (is_cancelled(state)) cancel();
    co_await empty_.async_wait(kAwait);
  }
}

void TaskGroup::ended(Position task, std::string_view name, std::exception_ptr exception) {
  if (exception) log_escaped_exception(name, exception);
  // The coroutine frame, which knows the signal, is destroyed only after this handler has returned.
  boost::asio::post(executor_, [this, task] {
    running_.erase(task);
    task_ended();
    if (running_.empty()) empty_.cancel();
  });
}

}  // namespace sluice::net
