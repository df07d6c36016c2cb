#include "net/event.h"

#include "net/wait.h"

namespace sluice::net {

Event::Event(Executor executor) : never_(executor, std::chrono::steady_clock::time_point::max()) {}

void Event::notify() {
  notified_ = true;
  never_.cancel();
}

Task<Result<>> Event::wait() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  while (!notified_ && !is_cancelled(state)) co_await never_.async_wait(kAwait);
  if (is_cancelled(state)) co_return fail(cancelled());
  notified_ = false;
  co_return Result<>{};
}

}  // namespace sluice::net
