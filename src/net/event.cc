#include "net/event.h"

#include "net/wait.h"

namespace sluice::net {

Event::Event(Executor executor) : timer_(executor) {}

void Event::notify() {
  notified_ = true;
  timer_.cancel();
}

Task<Result<>> Event::wait_until(MonotonicTime deadline) {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  timer_.expires_at(deadline);
  while (!notified_ && !is_cancelled(state)) {
    const auto [told] = co_await timer_.async_wait(kAwait);
    if (!told) break;  // the deadline has come
  }
  if (is_cancelled(state)) co_return fail(cancelled());
  notified_ = false;
  co_return Result<>{};
}

}  // namespace sluice::net
