#include "net/current_executor.h"

#include <boost/asio/this_coro.hpp>

namespace sluice::net {

Task<Executor> current_executor() { co_return co_await boost::asio::this_coro::executor; }

}  // namespace sluice::net
