#include "testing/virtual_clock.h"

#include <algorithm>

#include "testing/test_loop.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

}  // namespace

VirtualClock::VirtualClock(net::EventLoop& loop)
    : loop_(loop),
      now_(1h),
      wall_now_(std::chrono::sys_days(std::chrono::year(2026) / std::chrono::January / 1)) {}

net::Task<Result<>> VirtualClock::sleep_until(MonotonicTime deadline) {
  net::Event due(loop_.executor());
  co_return co_await wait_until(due, deadline);
}

net::Task<Result<>> VirtualClock::wait_until(net::Event& event, MonotonicTime deadline) {
  if (deadline <= now_) event.notify();
  const auto sleeper = sleepers_.emplace(sleepers_.end(), deadline, event);
  const Result<> woken = co_await event.wait();
  sleepers_.erase(sleeper);
  co_return woken;
}

void VirtualClock::advance(nanoseconds duration) {
  const MonotonicTime end = now_ + duration;
  run_until_idle(loop_);  // tasks spawned just now go to sleep before time moves
  while (true) {
    const auto next = std::ranges::min_element(sleepers_, {}, &Sleeper::deadline);
    if (next == sleepers_.end() || next->deadline > end) break;
    move_to(std::max(next->deadline, now_));
    run_until_idle(loop_);
  }
  move_to(end);
  run_until_idle(loop_);
}

void VirtualClock::move_to(MonotonicTime time) {
  wall_now_ += time - now_;
  now_ = time;
  for (Sleeper& sleeper : sleepers_) {
    if (sleeper.deadline <= now_) sleeper.due.notify();
  }
}

}  // namespace sluice::testing
