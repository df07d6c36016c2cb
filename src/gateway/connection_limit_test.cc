#include "gateway/connection_limit.h"

#include <gmock/gmock.h>

namespace sluice::gateway {
namespace {

using ::testing::HasSubstr;

TEST(ConnectionLimit, HasRoomAgainOnceOneHasEnded) {
  Metrics metrics;
  ConnectionLimit limit(2, metrics);
  ConnectionPlace first(limit);
  EXPECT_TRUE(limit.has_room());
  {
    const ConnectionPlace second(limit);
    EXPECT_FALSE(limit.has_room());
    const ConnectionPlace moved(std::move(first));
    EXPECT_FALSE(limit.has_room());
  }
  EXPECT_TRUE(limit.has_room());
}

TEST(ConnectionLimit, EachTimeThatItIsReachedIsCountedOnce) {
  Metrics metrics;
  ConnectionLimit limit(1, metrics);
  for (int i = 0; i < 2; ++i) {
    const ConnectionPlace place(limit);
    EXPECT_FALSE(limit.has_room());
    EXPECT_FALSE(limit.has_room());
  }
  EXPECT_TRUE(limit.has_room());
  EXPECT_THAT(metrics.exposition(),
              HasSubstr("sluice_limit_refusals_total{limit=\"connections\"} 1\n"));
}

}  // namespace
}  // namespace sluice::gateway
