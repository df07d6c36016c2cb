#include "base/backoff.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "testing/seeded_random.h"

namespace sluice {
namespace {

class ConstantRandom final : public Random {
 public:
  explicit ConstantRandom(std::byte byte) : byte_(byte) {}
  void fill(MutableBytes bytes) override { std::ranges::fill(bytes, byte_); }

 private:
  std::byte byte_;
};

TEST(Backoff, DoublesUpToItsCapAndBeginsAnewAfterAReset) {
  ConstantRandom zero(std::byte{0});
  Backoff backoff({.base = seconds(1), .factor = 2, .cap = seconds(5)});
  for (const int expected : {1, 2, 4, 5, 5}) EXPECT_EQ(backoff.next(zero), seconds(expected));
  backoff.reset();
  EXPECT_EQ(backoff.next(zero), seconds(1));
}

TEST(Backoff, JitterAddsAtMostItsPart) {
  ConstantRandom ones(std::byte{0xFF});
  Backoff backoff({.base = seconds(1), .jitter = 0.5});
  const nanoseconds longest = backoff.next(ones);
  EXPECT_GT(longest, milliseconds(1'499));
  EXPECT_LE(longest, milliseconds(1'500));
}

TEST(Backoff, TwoWaitersDoNotWaitAlike) {
  testing::SeededRandom random;
  Backoff one, other;
  EXPECT_NE(one.next(random), other.next(random));
}

}  // namespace
}  // namespace sluice
