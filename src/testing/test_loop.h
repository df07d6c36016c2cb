// How a test runs tasks: on its own EventLoop, in its own thread, and never for ever. A task that
// waits for what does not come is cancelled and the test fails.
#pragma once

#include <cstdlib>
#include <optional>
#include <utility>

#include "net/event_loop.h"
#include "net/task_group.h"

namespace sluice::testing {

/// How long run() waits in real time for something to happen, such as data on a socket or the end
/// of a process, before it takes the test for stuck. Only tests that fail wait that long.
inline constexpr std::chrono::seconds kPatience(10);

/// Runs whatever is ready, and what that makes ready. Does not wait for descriptors or real timers.
void run_until_idle(net::EventLoop& loop);

/// Runs the loop until `group` is empty. Stuck: reports a test failure and cancels what is left.
void run_until_empty(net::EventLoop& loop, net::TaskGroup& group);

template <typename T>
net::Task<> store_result(net::Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

/// Runs one task to its end. What else runs on the loop runs along.
template <typename T>
T run(net::EventLoop& loop, net::Task<T> task) {
  std::optional<T> result;
  net::TaskGroup group(loop.executor());
  group.spawn("test", store_result(std::move(task), result));
  run_until_empty(loop, group);
  if (!result) std::abort();  // an exception escaped: nothing can be returned
  return std::move(*result);
}

inline void run(net::EventLoop& loop, net::Task<> task) {
  net::TaskGroup group(loop.executor());
  group.spawn("test", std::move(task));
  run_until_empty(loop, group);
}

/// Whether a watch, whose changed() completes after a change, was woken since it was last asked.
template <typename Watch>
bool was_woken(net::EventLoop& loop, Watch& watch) {
  std::optional<Result<>> woken;
  net::TaskGroup tasks(loop.executor());
  tasks.spawn("wait", store_result(watch.changed(), woken));
  run_until_idle(loop);
  tasks.cancel();
  run_until_empty(loop, tasks);
  return woken && *woken;
}

}  // namespace sluice::testing
