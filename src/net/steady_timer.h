// The Asio timer type of sluice's loops: steady clock, concrete executor (smaller than
// any_io_executor).
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>

#include "net/task.h"

namespace sluice::net {

using SteadyTimer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace sluice::net
