#include "session/watchdog.h"

#include <gtest/gtest.h>

#include "testing/virtual_clock.h"

namespace sluice::session {
namespace {

using namespace std::chrono_literals;

class WatchdogTest : public ::testing::Test {
 protected:
  Watchdog make(nanoseconds token_lifetime) {
    SessionContext context{.executor = loop.executor(), .timers = clock, .interruption = none};
    context.token_expires_at = clock.wall_now() + token_lifetime;
    return Watchdog(context, clock.now());
  }
  /// Sleeps as told, answering pings, until the watchdog ends the session; how long that took.
  nanoseconds run(Watchdog& watchdog, std::optional<nanoseconds> jump_after = {},
                  nanoseconds jump = {}) {
    const MonotonicTime start = clock.now();
    while (true) {
      if (jump_after && clock.now() - start >= *jump_after) {
        clock.jump_wall_clock(jump);
        jump_after.reset();
      }
      const auto decision = watchdog.decide(clock.now(), clock.wall_now(), clock.now());
      if (decision.end) {
        EXPECT_EQ(decision.end->kind, SessionEndKind::TokenExpired);
        return clock.now() - start;
      }
      ++wakes;
      clock.advance(decision.next - clock.now());
    }
  }

  net::EventLoop loop;
  testing::VirtualClock clock{loop};
  Interruption none{loop.executor()};
  int wakes = 0;
};

TEST_F(WatchdogTest, ATokenExpiresWithinASecondOfItsTime) {
  Watchdog watchdog = make(10min);
  const nanoseconds took = run(watchdog);
  EXPECT_GE(took, 10min);
  EXPECT_LE(took, 10min + 1s);
}

TEST_F(WatchdogTest, ALongTokenCostsFewWakes) {
  Watchdog watchdog = make(10h);
  (void)run(watchdog);
  EXPECT_LE(wakes, 10 * 120 + 200);
}

TEST_F(WatchdogTest, AWallClockSetForwardIsNoticedSoon) {
  Watchdog watchdog = make(10h);
  EXPECT_LE(run(watchdog, 1min, 11h), 1min + 31s);
}

TEST_F(WatchdogTest, AWallClockSetBackLengthensTheSession) {
  Watchdog watchdog = make(10min);
  const nanoseconds took = run(watchdog, 5min, -1h);
  EXPECT_GE(took, 70min);
  EXPECT_LE(took, 70min + 1s);
}

TEST_F(WatchdogTest, AnExpiredTokenEndsTheSessionAtOnce) {
  Watchdog watchdog = make(-1s);
  EXPECT_EQ(run(watchdog), 0s);
}

TEST_F(WatchdogTest, ATokenThatNeverExpiresIsNoReasonToWake) {
  SessionContext context{.executor = loop.executor(), .timers = clock, .interruption = none};
  context.ping_interval = 1h;
  context.idle_timeout = 2h;
  Watchdog watchdog(context, clock.now());
  const auto decision = watchdog.decide(clock.now(), clock.wall_now(), clock.now());
  EXPECT_FALSE(decision.end);
  EXPECT_EQ(decision.next, clock.now() + 1h);
}

}  // namespace
}  // namespace sluice::session
