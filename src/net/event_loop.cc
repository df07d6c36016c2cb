#include "net/event_loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace sluice::net {

void post(const Executor& executor, std::move_only_function<void()> work) {
  boost::asio::post(executor, std::move(work));
}

void EventLoop::post(std::move_only_function<void()> work) {
  boost::asio::post(context_, std::move(work));
}

void EventLoop::run() {
  const auto guard = boost::asio::make_work_guard(context_);
  context_.run();
  context_.restart();
  context_.poll();
}

}  // namespace sluice::net
