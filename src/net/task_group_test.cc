#include "net/task_group.h"

#include <gtest/gtest.h>

#include "net/descriptor.h"
#include "observe/task_count.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::net {
namespace {

class TaskGroupTest : public ::testing::Test {
 protected:
  EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  Event event_{loop_.executor()};
  TaskGroup group_{loop_.executor()};
  std::vector<bool> waits_;  // how each wait of the task ended

  Task<> wait_twice() {
    for (int i = 0; i < 2; ++i) waits_.push_back((co_await event_.wait()).has_value());
  }
  Task<> sleep() { waits_.push_back((co_await clock_.sleep_for(seconds(1))).has_value()); }
  Task<> wait_readable(Descriptor& descriptor) {
    waits_.push_back((co_await descriptor.readable()).has_value());
  }
  Task<> cancel_and_join() {
    group_.cancel();
    co_await group_.join();
  }
  Task<> notify_and_cancel() {
    event_.notify();
    group_.cancel();
    co_return;
  }
  void end() { testing::run(loop_, cancel_and_join()); }
};

Task<> fail_badly() {
  (void)std::vector<int>().at(1);
  co_return;
}

TEST_F(TaskGroupTest, EveryWaitOfACancelledTaskIsCancelled) {
  group_.spawn("task", wait_twice());
  testing::run_until_idle(loop_);
  end();
  EXPECT_EQ(waits_, std::vector<bool>({false, false}));
  EXPECT_EQ(group_.size(), 0U);
}

TEST_F(TaskGroupTest, WhatRunsIsCounted) {
  const std::int64_t before = running_task_count();
  group_.spawn("waiter", wait_twice());
  EXPECT_EQ(running_task_count(), before + 1);
  end();
  EXPECT_EQ(running_task_count(), before);
}

TEST_F(TaskGroupTest, CancellationIsSeenWhenACompletionWasAlreadyQueued) {
  group_.spawn("task", wait_twice());
  testing::run_until_idle(loop_);
  testing::run(loop_, notify_and_cancel());
  end();
  EXPECT_EQ(waits_, std::vector<bool>({false, false}));
}

TEST_F(TaskGroupTest, CancelBeforeTheTaskRanCancelsItsWaits) {
  group_.spawn("task", wait_twice());
  end();
  EXPECT_EQ(waits_, std::vector<bool>({false, false}));
  EXPECT_EQ(group_.size(), 0U);
}

TEST_F(TaskGroupTest, TaskThatNeverWaitsMayCancelOneThatHasNotRun) {
  group_.spawn("first", notify_and_cancel());
  group_.spawn("second", wait_twice());
  testing::run_until_idle(loop_);
  EXPECT_EQ(waits_, std::vector<bool>({false, false}));
  EXPECT_EQ(group_.size(), 0U);
}

TEST_F(TaskGroupTest, SleepIsCancelled) {
  group_.spawn("task", sleep());
  testing::run_until_idle(loop_);
  end();
  EXPECT_EQ(waits_, std::vector<bool>({false}));
}

TEST_F(TaskGroupTest, DescriptorWaitIsCancelled) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd writer(ends[1]);
  Descriptor reader(loop_.executor(), UniqueFd(ends[0]));
  group_.spawn("task", wait_readable(reader));
  testing::run_until_idle(loop_);
  end();
  EXPECT_EQ(waits_, std::vector<bool>({false}));
}

TEST_F(TaskGroupTest, JoinWaitsForTasksThatEndByThemselves) {
  group_.spawn("task", sleep());
  TaskGroup joiner(loop_.executor());
  joiner.spawn("join", group_.join());
  clock_.advance(milliseconds(999));
  EXPECT_EQ(joiner.size(), 1U);
  clock_.advance(milliseconds(1));
  testing::run_until_idle(loop_);
  EXPECT_EQ(joiner.size(), 0U);
}

TEST_F(TaskGroupTest, CancelledJoinStillWaits) {
  group_.spawn("task", sleep());
  TaskGroup joiner(loop_.executor());
  joiner.spawn("join", group_.join());
  testing::run_until_idle(loop_);
  joiner.cancel();
  testing::run_until_idle(loop_);
  EXPECT_EQ(joiner.size(), 1U);
  clock_.advance(seconds(1));
  testing::run_until_idle(loop_);
  EXPECT_EQ(joiner.size(), 0U);
}

TEST_F(TaskGroupTest, EscapedExceptionEndsItsTaskOnly) {
  group_.spawn("defect", fail_badly());
  group_.spawn("task", wait_twice());
  testing::run_until_idle(loop_);
  EXPECT_EQ(group_.size(), 1U);
  end();
}

}  // namespace
}  // namespace sluice::net
