#include "net/event.h"

#include <gtest/gtest.h>

#include "net/timers.h"
#include "testing/test_loop.h"

namespace sluice::net {
namespace {

class EventTest : public ::testing::Test {
 protected:
  Task<> count_wakes() {
    while (true) {
      const Result<> woken = co_await event_.wait();
      if (!woken) co_return;
      ++wakes_;
    }
  }
  Task<> count_wakes_until(MonotonicTime deadline) {
    const Result<> woken = co_await timers_.wait_until(event_, deadline);
    if (woken) ++wakes_;
  }
  Task<> notify_and_cancel() {
    event_.notify();
    group_.cancel();
    co_return;
  }
  void start() {
    group_.spawn("wait", count_wakes());
    testing::run_until_idle(loop_);
  }
  void end() {
    group_.cancel();
    testing::run_until_empty(loop_, group_);
  }

  EventLoop loop_;
  SystemTimers timers_;
  Event event_{loop_.executor()};
  TaskGroup group_{loop_.executor()};
  int wakes_ = 0;
};

TEST_F(EventTest, NotificationBeforeTheWaitIsNotLost) {
  event_.notify();
  start();
  EXPECT_EQ(wakes_, 1);
  end();
}

TEST_F(EventTest, NotificationsCoalesce) {
  start();
  event_.notify();
  event_.notify();
  testing::run_until_idle(loop_);
  EXPECT_EQ(wakes_, 1);
  event_.notify();
  testing::run_until_idle(loop_);
  EXPECT_EQ(wakes_, 2);
  end();
}

TEST_F(EventTest, CancelledWaitLeavesTheNotificationToTheNext) {
  start();
  testing::run(loop_, notify_and_cancel());
  testing::run_until_empty(loop_, group_);
  EXPECT_EQ(wakes_, 0);
  start();
  EXPECT_EQ(wakes_, 1);
  end();
}

TEST_F(EventTest, ADeadlineEndsTheWaitWithoutANotification) {
  group_.spawn("wait", count_wakes_until(timers_.now()));
  testing::run_until_empty(loop_, group_);
  EXPECT_EQ(wakes_, 1);
}

TEST_F(EventTest, ANotificationEndsAWaitBeforeItsDeadline) {
  group_.spawn("wait", count_wakes_until(timers_.now() + std::chrono::hours(1)));
  testing::run_until_idle(loop_);
  EXPECT_EQ(wakes_, 0);
  event_.notify();
  testing::run_until_empty(loop_, group_);
  EXPECT_EQ(wakes_, 1);
}

TEST_F(EventTest, AWaitWithoutADeadlineForgetsThatOfTheWaitBefore) {
  group_.spawn("wait", count_wakes_until(timers_.now()));
  testing::run_until_empty(loop_, group_);
  start();
  EXPECT_EQ(wakes_, 1);
  end();
}

TEST_F(EventTest, AWaitWithADeadlineCanBeCancelled) {
  group_.spawn("wait", count_wakes_until(timers_.now() + std::chrono::hours(1)));
  testing::run_until_idle(loop_);
  end();
  EXPECT_EQ(wakes_, 0);
}

}  // namespace
}  // namespace sluice::net
