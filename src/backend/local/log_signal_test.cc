#include "backend/local/log_signal.h"

#include <deque>
#include <thread>

#include <gtest/gtest.h>

#include "net/task_group.h"
#include "testing/test_loop.h"

namespace sluice::backend::local {
namespace {

net::Task<> wait_and_count(LogSignal::Waiter& waiter, int& woken) {
  waiter.arm();
  const Result<> result = co_await waiter.wait();
  if (result) ++woken;
}

class LogSignalTest : public ::testing::Test {
 protected:
  ~LogSignalTest() override {
    group_.cancel();
    testing::run_until_empty(loop_, group_);
  }
  void add_waiter() {
    waiters_.emplace_back(signal_, loop_.executor());
    group_.spawn("waiter", wait_and_count(waiters_.back(), woken_));
  }

  net::EventLoop loop_;
  std::shared_ptr<LogSignal> signal_ = std::make_shared<LogSignal>();
  std::deque<LogSignal::Waiter> waiters_;
  net::TaskGroup group_{loop_.executor()};
  int woken_ = 0;
};

TEST_F(LogSignalTest, WakesAllThatWait) {
  for (int i = 0; i < 10'000; ++i) add_waiter();
  testing::run_until_idle(loop_);
  EXPECT_EQ(woken_, 0);
  signal_->notify();
  testing::run_until_idle(loop_);
  EXPECT_EQ(woken_, 10'000);
}

TEST_F(LogSignalTest, ABurstPostsOnce) {
  add_waiter();
  testing::run_until_idle(loop_);
  for (int i = 0; i < 100; ++i) signal_->notify();
  loop_.context().restart();
  EXPECT_EQ(loop_.context().poll_one(), 1U);  // the wake; what it resumes comes after
  EXPECT_LE(loop_.context().poll(), 2U);
  EXPECT_EQ(woken_, 1);
}

TEST_F(LogSignalTest, NobodyWaitingPostsNothing) {
  waiters_.emplace_back(signal_, loop_.executor());
  signal_->notify();
  EXPECT_EQ(loop_.context().poll(), 0U);
}

TEST_F(LogSignalTest, ANotificationBetweenArmAndWaitIsNotMissed) {
  waiters_.emplace_back(signal_, loop_.executor());
  waiters_.back().arm();
  signal_->notify();
  testing::run_until_idle(loop_);
  group_.spawn("waiter", wait_and_count(waiters_.back(), woken_));
  testing::run_until_idle(loop_);
  EXPECT_EQ(woken_, 1);
}

TEST_F(LogSignalTest, AWaiterMayGoWhileArmed) {
  waiters_.emplace_back(signal_, loop_.executor());
  waiters_.back().arm();
  add_waiter();
  testing::run_until_idle(loop_);
  waiters_.pop_front();
  signal_->notify();
  testing::run_until_idle(loop_);
  EXPECT_EQ(woken_, 1);
}

net::Task<> follow_count(std::shared_ptr<LogSignal> signal, net::Executor executor,
                         const std::atomic<int>& written, int& read) {
  LogSignal::Waiter waiter(std::move(signal), executor);
  while (read < 100'000) {
    waiter.arm();
    if (written.load() == read) {
      const Result<> result = co_await waiter.wait();
      if (!result) co_return;
    }
    read = written.load();
  }
}

TEST_F(LogSignalTest, NothingIsMissedBetweenThreads) {
  std::atomic<int> written = 0;
  int read = 0;
  net::TaskGroup followers(loop_.executor());
  followers.spawn("follower", follow_count(signal_, loop_.executor(), written, read));
  std::thread writer([&] {
    for (int i = 1; i <= 100'000; ++i) {
      written.store(i);
      signal_->notify();
    }
  });
  testing::run_until_empty(loop_, followers);
  writer.join();
  EXPECT_EQ(read, 100'000);
}

}  // namespace
}  // namespace sluice::backend::local
