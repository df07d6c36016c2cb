#include "base/token_bucket.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr RateLimit kLimit{.per_second = 10, .burst = 3};
constexpr MonotonicTime kStart{seconds(1'000)};
constexpr nanoseconds kNow(0);

/// How many it gives at that time, at most `most`.
int taken_at(TokenBucket& bucket, MonotonicTime now, int most = 100) {
  int count = 0;
  while (count < most && bucket.wait(kLimit, now) == kNow) {
    bucket.take(kLimit, now);
    ++count;
  }
  return count;
}

TEST(TokenBucket, GivesABurstAtOnceAndThenOneAtATime) {
  TokenBucket bucket;
  EXPECT_EQ(taken_at(bucket, kStart), 3);
  EXPECT_EQ(bucket.wait(kLimit, kStart), milliseconds(100));
  EXPECT_EQ(bucket.wait(kLimit, kStart + milliseconds(60)), milliseconds(40));
  EXPECT_EQ(taken_at(bucket, kStart + milliseconds(99)), 0);
  EXPECT_EQ(taken_at(bucket, kStart + milliseconds(100)), 1);
}

TEST(TokenBucket, KeepsItsRateHoweverOftenItIsAsked) {
  TokenBucket bucket;
  int count = 0;
  for (int i = 0; i <= 10'000; ++i) count += taken_at(bucket, kStart + milliseconds(i));
  EXPECT_EQ(count, 3 + 10 * 10);
}

TEST(TokenBucket, APauseFillsItToTheBurstAndNoFurther) {
  TokenBucket bucket;
  taken_at(bucket, kStart);
  EXPECT_EQ(taken_at(bucket, kStart + milliseconds(200)), 2);
  EXPECT_EQ(taken_at(bucket, kStart + std::chrono::hours(1)), 3);
}

TEST(TokenBucket, IsFullAgainWhenAllIsBack) {
  TokenBucket bucket;
  EXPECT_TRUE(bucket.is_full(kStart));
  taken_at(bucket, kStart, 2);
  EXPECT_FALSE(bucket.is_full(kStart + milliseconds(199)));
  EXPECT_TRUE(bucket.is_full(kStart + milliseconds(200)));
}

TEST(TokenBucket, ABurstOfOneIsAPlainInterval) {
  constexpr RateLimit kOne{.per_second = 1, .burst = 1};
  TokenBucket bucket;
  bucket.take(kOne, kStart);
  EXPECT_EQ(bucket.wait(kOne, kStart), seconds(1));
  EXPECT_EQ(bucket.wait(kOne, kStart + seconds(1)), kNow);
}

TEST(TokenBucket, TheLargestLimitsDoNotOverflow) {
  constexpr RateLimit kLargest{.per_second = 1, .burst = 10'000'000};
  TokenBucket bucket;
  bucket.take(kLargest, kStart);
  EXPECT_EQ(bucket.wait(kLargest, kStart), kNow);
}

}  // namespace
}  // namespace sluice
