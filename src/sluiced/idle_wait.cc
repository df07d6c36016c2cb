#include "sluiced/idle_wait.h"

#include <utility>

#include "net/deadline.h"

namespace sluice::sluiced {

IdleWait::IdleWait(net::EventLoop& loop, net::Timers& timers)
    : executor_(loop.executor()),
      timers_(timers),
      changed_(loop.executor()),
      activity_([this, &loop] { loop.post([this] { changed_.notify(); }); }) {}

net::Task<WaitEnd> IdleWait::wait(nanoseconds patience, Newcomers newcomers) {
  activity_.watch();
  bool expired = false;
  net::Deadline deadline(executor_, timers_, timers_.now() + patience, [&] {
    expired = true;
    changed_.notify();
  });
  while (!is_idle(newcomers) && !expired && !hurried_) {
    const Result<> woken = co_await changed_.wait();
    if (!woken) break;
  }
  co_await deadline.end();
  if (std::exchange(hurried_, false)) co_return WaitEnd::Hurried;
  co_return is_idle(newcomers) ? WaitEnd::Idle : WaitEnd::OutOfPatience;
}

void IdleWait::hurry() {
  hurried_ = true;
  changed_.notify();
}

bool IdleWait::is_idle(Newcomers newcomers) const {
  return activity_.is_idle() && (newcomers == Newcomers::NotAwaited || !activity_.has_newcomers());
}

}  // namespace sluice::sluiced
