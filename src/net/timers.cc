#include "net/timers.h"

#include "net/steady_timer.h"
#include "net/wait.h"

namespace sluice::net {

MonotonicTime SystemTimers::now() const { return std::chrono::steady_clock::now(); }

WallTime SystemTimers::wall_now() const { return std::chrono::system_clock::now(); }

Task<Result<>> SystemTimers::sleep_until(MonotonicTime deadline) {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  SteadyTimer timer(co_await boost::asio::this_coro::executor, deadline);
  if (!is_cancelled(state)) co_await timer.async_wait(kAwait);
  if (is_cancelled(state)) co_return fail(cancelled());
  co_return Result<>{};
}

Task<Result<>> SystemTimers::wait_until(Event& event, MonotonicTime deadline) {
  return event.wait_until(deadline);
}

}  // namespace sluice::net
