#include "backend/change_signal.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "net/event_loop.h"
#include "testing/test_loop.h"

namespace sluice::backend {
namespace {

class ChangeSignalTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChangeWatch> watch(const std::string& subject) {
    return signal_.watch(subject, loop_.executor());
  }
  bool was_woken(ChangeWatch& watch) { return testing::was_woken(loop_, watch); }

  net::EventLoop loop_;
  ChangeSignal signal_;
};

TEST_F(ChangeSignalTest, WakesThoseWhoWatchTheSubject) {
  const auto first = watch("a");
  const auto second = watch("a");
  const auto other = watch("b");
  EXPECT_FALSE(was_woken(*first));
  signal_.notify("a");
  EXPECT_TRUE(was_woken(*first));
  EXPECT_TRUE(was_woken(*second));
  EXPECT_FALSE(was_woken(*other));
  signal_.notify_all();
  EXPECT_TRUE(was_woken(*first));
  EXPECT_TRUE(was_woken(*other));
}

TEST_F(ChangeSignalTest, ManyChangesAreOneWakeUp) {
  const auto watched = watch("a");
  for (int i = 0; i < 100; ++i) signal_.notify("a");
  EXPECT_TRUE(was_woken(*watched));
  EXPECT_FALSE(was_woken(*watched));
}

TEST_F(ChangeSignalTest, WatchMayEndWhileAWakeUpIsUnderWay) {
  auto ending = watch("a");
  const auto staying = watch("a");
  signal_.notify("a");
  ending.reset();
  EXPECT_TRUE(was_woken(*staying));
  signal_.notify("a");
  EXPECT_TRUE(was_woken(*staying));
}

TEST_F(ChangeSignalTest, AnotherThreadMayNotify) {
  const auto watched = watch("a");
  std::atomic<bool> woken = false;
  std::jthread changes([&] {
    while (!woken) signal_.notify("a");
  });
  EXPECT_TRUE(testing::run(loop_, watched->changed()));
  woken = true;
}

}  // namespace
}  // namespace sluice::backend
