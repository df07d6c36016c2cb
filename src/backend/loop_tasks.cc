#include "backend/loop_tasks.h"

#include <algorithm>
#include <cstdlib>

#include "net/current_executor.h"
#include "net/event.h"

namespace sluice::backend {

LoopTasks::LoopTasks(const std::vector<net::EventLoop*>& loops) {
  for (net::EventLoop* loop : loops) loops_.push_back(std::make_unique<Loop>(*loop));
}

LoopTasks::~LoopTasks() = default;

void LoopTasks::spawn(const net::Executor& executor, std::string_view name, net::Task<> task) {
  const auto found = std::ranges::find_if(
      loops_, [&](const auto& entry) { return entry->loop.executor() == executor; });
  if (found == loops_.end()) std::abort();  // a loop that the backend was not made for
  (*found)->tasks.spawn(name, std::move(task));
}

net::Task<> LoopTasks::end(Loop& loop, std::move_only_function<void()> ended) {
  loop.tasks.cancel();
  co_await loop.tasks.join();
  ended();
}

net::Task<> LoopTasks::wait_for_all(net::Event& ended, const std::size_t& running) {
  while (running > 0) (void)co_await ended.wait();
}

net::Task<> LoopTasks::stop() {
  const net::Executor executor = co_await net::current_executor();
  net::Event one_ended(executor);
  std::size_t running = loops_.size();  // touched by the calling loop only
  for (const auto& entry : loops_) {
    Loop* const loop = entry.get();
    net::post(loop->loop.executor(), [loop, executor, &one_ended, &running] {
      loop->ending.spawn("end", end(*loop, [executor, &one_ended, &running] {
                           net::post(executor, [&one_ended, &running] {
                             --running;
                             one_ended.notify();
                           });
                         }));
    });
  }
  // They refer to what is here: a caller that is cancelled waits for them, too.
  net::TaskGroup waiting(executor);
  waiting.spawn("end of all loops", wait_for_all(one_ended, running));
  co_await waiting.join();
}

}  // namespace sluice::backend
