#include "net/deadline.h"

#include <gtest/gtest.h>

#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::net {
namespace {

class BeforeTest : public ::testing::Test {
 protected:
  Task<Result<int>> wait_for_event() {
    CO_TRY_VOID(co_await event_.wait());
    co_return 7;
  }
  void start() {
    auto task = before(clock_.now() + seconds(10), clock_, wait_for_event());
    group_.spawn("before", testing::store_result(std::move(task), result_));
    testing::run_until_idle(loop_);
  }

  EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  Event event_{loop_.executor()};
  TaskGroup group_{loop_.executor()};
  std::optional<Result<int>> result_;
};

TEST_F(BeforeTest, TaskThatIsDoneInTimeGivesItsResult) {
  start();
  event_.notify();
  testing::run_until_empty(loop_, group_);
  EXPECT_EQ(result_, Result<int>(7));
  EXPECT_EQ(clock_.sleeping(), 0U);
}

TEST_F(BeforeTest, TaskThatIsNotDoneInTimeIsCancelled) {
  start();
  clock_.advance(milliseconds(9'999));
  EXPECT_FALSE(result_);
  clock_.advance(milliseconds(1));
  testing::run_until_empty(loop_, group_);
  ASSERT_TRUE(result_ && !*result_);
  EXPECT_EQ(result_->error().code, ErrorCode::Unavailable);
  EXPECT_EQ(result_->error().message, "timed out");
}

TEST_F(BeforeTest, CancellationOfTheCallerReachesTheTaskAtOnce) {
  start();
  group_.cancel();
  testing::run_until_empty(loop_, group_);
  ASSERT_TRUE(result_ && !*result_);
  EXPECT_EQ(result_->error().code, ErrorCode::Cancelled);
}

TEST_F(BeforeTest, CancellationBeforeItBeganReachesTheTask) {
  auto task = before(clock_.now() + seconds(10), clock_, wait_for_event());
  group_.spawn("before", testing::store_result(std::move(task), result_));
  group_.cancel();
  testing::run_until_empty(loop_, group_);
  ASSERT_TRUE(result_ && !*result_);
  EXPECT_EQ(result_->error().code, ErrorCode::Cancelled);
}

}  // namespace
}  // namespace sluice::net
