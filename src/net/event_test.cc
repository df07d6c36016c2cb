#include "net/event.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sluice::net
