#include "backend/local/restart_policy.h"

#include <vector>

#include <gmock/gmock.h>

namespace sluice::backend::local {
namespace {

using std::chrono::minutes;

TEST(RestartBackOff, AtOnceThenDoublingUpToAMinute) {
  RestartBackOff back_off;
  std::vector<nanoseconds> waits;
  for (int i = 0; i < 9; ++i) waits.push_back(back_off.next(seconds(1)));
  EXPECT_THAT(waits,
              testing::ElementsAre(seconds(0), seconds(1), seconds(2), seconds(4), seconds(8),
                                   seconds(16), seconds(32), seconds(60), seconds(60)));
}

TEST(RestartBackOff, TenMinutesOfRunningStartOver) {
  RestartBackOff back_off;
  for (int i = 0; i < 5; ++i) back_off.next(seconds(1));
  EXPECT_EQ(back_off.next(minutes(10) - nanoseconds(1)), seconds(16));
  EXPECT_EQ(back_off.next(minutes(10)), seconds(0));
  EXPECT_EQ(back_off.next(seconds(1)), seconds(1));
}

TEST(RestartPolicy, Table) {
  EXPECT_FALSE(restarts(RestartPolicy::Never, RunResult::Failed));
  EXPECT_FALSE(restarts(RestartPolicy::Never, RunResult::Succeeded));
  EXPECT_TRUE(restarts(RestartPolicy::OnFailure, RunResult::Failed));
  EXPECT_FALSE(restarts(RestartPolicy::OnFailure, RunResult::Succeeded));
  EXPECT_TRUE(restarts(RestartPolicy::Always, RunResult::Failed));
  EXPECT_TRUE(restarts(RestartPolicy::Always, RunResult::Succeeded));
}

}  // namespace
}  // namespace sluice::backend::local
