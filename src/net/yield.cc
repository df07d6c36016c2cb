#include "net/yield.h"

#include <boost/asio/post.hpp>

#include "net/wait.h"

namespace sluice::net {

Task<Result<>> yield() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (is_cancelled(state)) co_return fail(cancelled());
  const Executor executor = co_await boost::asio::this_coro::executor;
  constexpr boost::asio::use_awaitable_t<Executor> kAwaited;
  co_await boost::asio::post(executor, kAwaited);
  if (is_cancelled(state)) co_return fail(cancelled());
  co_return Result<>{};
}

}  // namespace sluice::net
