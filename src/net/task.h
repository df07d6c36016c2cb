// Task<T>: a coroutine on one event loop, and the rules that every one obeys.
//
// It belongs to the loop (thread) it was started on, and everything it touches does, too.
//
// It suspends only in the waits of this module (Descriptor, Event, Timers) or in another Task. Each
// of those completes with ErrorCode::Cancelled once the task was cancelled, at once and every time
// again, so a cancelled task unwinds by handing errors to its caller.
//
// Someone owns it: a caller that awaits it, or a TaskGroup. Parameters are values, or references to
// what outlives the await. No capturing lambda is a coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "base/result.h"

namespace sluice::net {

using Executor = boost::asio::io_context::executor_type;

template <typename T = void>
using Task = boost::asio::awaitable<T, Executor>;

}  // namespace sluice::net
