// How sluice waits on Asio: errors as values, and cancellation that is remembered. Only net/
// includes it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/task.h"

namespace sluice::net {

inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<Executor>> kAwait{};

/// Whether the current task was cancelled, given `co_await
/// boost::asio::this_coro::cancellation_state`. Every wait asks before it starts and after it ends:
/// a cancellation that arrives while a task is not suspended would otherwise be missed by the
/// operation that it starts next.
inline bool is_cancelled(const boost::asio::cancellation_state& state) {
  return state.cancelled() != boost::asio::cancellation_type::none;
}

}  // namespace sluice::net
