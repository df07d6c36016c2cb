// Deadline: does something unless it is called off in time. For waits that know no time themselves:
// let it close the stream that they wait for, or give the whole task to before().
#pragma once

#include <functional>

#include "net/current_executor.h"
#include "net/task_group.h"
#include "net/timers.h"

namespace sluice::net {

class Deadline {
 public:
  /// Calls `expired` on the loop at `at`, once.
  Deadline(Executor executor, Timers& timers, MonotonicTime at, std::function<void()> expired);

  /// Calls it off; must be awaited before destruction. True when it had expired.
  Task<bool> end();

 private:
  Task<> run(Timers& timers, MonotonicTime at);

  TaskGroup group_;
  std::function<void()> callback_;
  bool expired_ = false;
};

/// What `task` results in; at `at` it is cancelled. Errors: the task's; Unavailable ("timed out").
template <typename T>
Task<Result<T>> before(MonotonicTime at, Timers& timers, Task<Result<T>> task);

namespace detail {

template <typename T>
Task<> store(Task<Result<T>> task, Result<T>& result) {
  result = co_await std::move(task);
}

}  // namespace detail

template <typename T>
Task<Result<T>> before(MonotonicTime at, Timers& timers, Task<Result<T>> task) {
  const Executor executor = co_await current_executor();
  TaskGroup group(executor);
  Deadline deadline(executor, timers, at, [&group] { group.cancel(); });
  Result<T> result = fail(cancelled());
  group.spawn("before", detail::store(std::move(task), result));
  co_await group.finish();
  const bool expired = co_await deadline.end();
  if (expired && !result) result = fail(ErrorCode::Unavailable, "timed out");
  co_return result;
}

}  // namespace sluice::net
