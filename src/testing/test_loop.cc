#include "testing/test_loop.h"

#include <gtest/gtest.h>

namespace sluice::testing {
namespace {

constexpr int kMaxRounds = 10'000'000;  // a loop that feeds itself is stuck, too

}  // namespace

void run_until_idle(net::EventLoop& loop) {
  for (int round = 0; round < kMaxRounds; ++round) {
    loop.context().restart();
    if (loop.context().poll_one() == 0) return;
  }
  ADD_FAILURE() << "the loop does not come to rest";
}

void run_until_empty(net::EventLoop& loop, net::TaskGroup& group) {
  bool asked_to_end = false;
  for (int round = 0; group.size() > 0; ++round) {
    loop.context().restart();
    const bool something_ran = loop.context().run_one_for(kPatience) > 0;
    if (something_ran && round < kMaxRounds) continue;
    if (asked_to_end) std::abort();  // it ignores its cancellation: its frame can't be left behind
    ADD_FAILURE() << "stuck: the task waits for something that does not come; cancelling it";
    group.cancel();
    asked_to_end = true;
    round = 0;
  }
}

}  // namespace sluice::testing
