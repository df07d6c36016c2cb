// One event loop on one thread. The program has one per core; a connection lives and dies on one.
#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>

#include "net/task.h"

namespace sluice::net {

/// Runs `work` on the thread of the executor's loop, soon. Any thread; the loop must still exist.
void post(const Executor& executor, std::move_only_function<void()> work);

class EventLoop {
 public:
  EventLoop() : context_(1) {}  // 1: no locking inside Asio beyond what post() needs

  Executor executor() { return context_.get_executor(); }
  boost::asio::io_context& context() { return context_; }

  /// Runs `work` on the loop's thread, soon. The one member that any thread may call.
  void post(std::move_only_function<void()> work);

  /// Runs until stop(), and then what is ready by then: task groups that were joined end up empty.
  /// Called by the loop's thread.
  void run();
  void stop() { context_.stop(); }

 private:
  boost::asio::io_context context_;
};

}  // namespace sluice::net
