#include "backend/kubernetes/loop_tasks.h"

#include <algorithm>
#include <cstdlib>

#include "net/deadline.h"
#include "net/event.h"

namespace sluice::backend::kubernetes {

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

net::Task<> LoopTasks::stop() {
  const net::Executor executor = co_await net::current_executor();
  net::Event changed(executor);
  std::size_t running = loops_.size();  // touched by the calling loop only
  for (const auto& entry : loops_) {
    Loop* const loop = entry.get();
    net::post(loop->loop.executor(), [loop, executor, &changed, &running] {
      loop->ending.spawn("end", end(*loop, [executor, &changed, &running] {
                           net::post(executor, [&changed, &running] {
                             --running;
                             changed.notify();
                           });
                         }));
    });
  }
  while (running > 0) (void)co_await changed.wait();  // also when cancelled: they refer to us
}

}  // namespace sluice::backend::kubernetes
