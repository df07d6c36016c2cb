#include "observe/record_quota.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

struct TestClock final : Clock {
  MonotonicTime now() const override { return MonotonicTime(seconds(3600)) + passed; }
  WallTime wall_now() const override { return WallTime(seconds(1'800'000'000)) + passed; }
  nanoseconds passed{};
};

TEST(RecordQuota, BeyondTheBurstOneASecondIsRecordedAndTheRestCounted) {
  RecordQuota quota({.per_second = 1, .burst = 3});
  TestClock clock;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(quota.take(clock));
  EXPECT_FALSE(quota.take(clock));
  clock.passed = milliseconds(500);
  EXPECT_FALSE(quota.take(clock));
  clock.passed = seconds(1);
  EXPECT_TRUE(quota.take(clock));
  const auto unrecorded = quota.take_unrecorded();
  ASSERT_TRUE(unrecorded);
  EXPECT_EQ(unrecorded->count, 2U);
  EXPECT_EQ(unrecorded->last - unrecorded->first, milliseconds(500));
  EXPECT_FALSE(quota.take_unrecorded());
}

}  // namespace
}  // namespace sluice
