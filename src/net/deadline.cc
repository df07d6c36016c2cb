#include "net/deadline.h"

#include "net/wait.h"

namespace sluice::net {

Task<Executor> current_executor() { co_return co_await boost::asio::this_coro::executor; }

Deadline::Deadline(Executor executor, Timers& timers, MonotonicTime at,
                   std::function<void()> expired)
    : group_(executor) {
  group_.spawn("deadline", run(timers, at, std::move(expired)));
}

Task<bool> Deadline::end() {
  group_.cancel();
  co_await group_.join();
  co_return expired_;
}

Task<> Deadline::run(Timers& timers, MonotonicTime at, std::function<void()> expired) {
  const Result<> passed = co_await timers.sleep_until(at);  // in the if, GCC 12 destroys it twice
  if (!passed) co_return;
  expired_ = true;
  expired();
}

}  // namespace sluice::net
