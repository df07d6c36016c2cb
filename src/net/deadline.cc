#include "net/deadline.h"

#include "net/wait.h"

namespace sluice::net {

Deadline::Deadline(Executor executor, Timers& timers, MonotonicTime at,
                   std::function<void()> expired)
    : group_(executor), callback_(std::move(expired)) {
  group_.spawn("deadline", run(timers, at));
}

Task<bool> Deadline::end() {
  group_.cancel();
  co_await group_.join();
  co_return expired_;
}

Task<> Deadline::run(Timers& timers, MonotonicTime at) {
  const Result<> slept = co_await timers.sleep_until(at);
  if (!slept) co_return;
  expired_ = true;
  callback_();
}

}  // namespace sluice::net
