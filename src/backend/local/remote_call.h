// call_on(): runs a function on another loop and brings its result back to the awaiting task's own.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "net/current_executor.h"
#include "net/event.h"
#include "net/event_loop.h"
#include "net/task.h"

namespace sluice::backend::local {

/// A result on its way to a task that waits on its own loop. Shared by that task and by who will
/// answer; the last reference is given up on the waiting task's loop.
template <typename T>
class Reply {
 public:
  explicit Reply(net::Executor executor) : executor_(executor), arrived_(executor) {}

  /// From any thread; once.
  static void send(std::shared_ptr<Reply> reply, Result<T> result) {
    const net::Executor executor = reply->executor_;
    net::post(executor, [reply = std::move(reply), result = std::move(result)]() mutable {
      reply->result_.emplace(std::move(result));
      reply->arrived_.notify();
    });
  }
  net::Task<Result<T>> wait() {
    CO_TRY_VOID(co_await arrived_.wait());
    co_return *std::move(result_);
  }

 private:
  net::Executor executor_;
  net::Event arrived_;
  std::optional<Result<T>> result_;
};

/// A cancelled caller leaves; `work` runs all the same and its result is dropped.
template <typename T>
net::Task<Result<T>> call_on(net::EventLoop& loop, std::move_only_function<Result<T>()> work) {
  const net::Executor executor = co_await net::current_executor();
  auto reply = std::make_shared<Reply<T>>(executor);
  loop.post([reply, work = std::move(work)]() mutable {
    Result<T> result = work();
    Reply<T>::send(std::move(reply), std::move(result));
  });
  co_return co_await reply->wait();
}

}  // namespace sluice::backend::local
