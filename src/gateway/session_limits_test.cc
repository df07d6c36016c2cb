#include "gateway/session_limits.h"

#include <gmock/gmock.h>

#include "testing/virtual_clock.h"
#include "ws/buffer_pool.h"

namespace sluice::gateway {
namespace {

using ::testing::HasSubstr;

class SessionLimitsTest : public ::testing::Test {
 protected:
  SessionLimitsTest() {
    settings_.max_sessions = 1'000'000;
    settings_.upgrade_rate = {.per_second = 10, .burst = 10};
    settings_.upgrade_rate_per_user = {.per_second = 2, .burst = 3};
  }

  /// How many sessions of that user may begin now, one after the other, up to `most`.
  int begun(const std::string& user, int most = 100) {
    int count = 0;
    while (count < most && limits_.admit(user)) ++count;
    return count;
  }
  std::string count_of(std::string_view limit) {
    const std::string text = metrics_.exposition();
    const std::string name = "sluice_limit_refusals_total{limit=\"" + std::string(limit) + "\"} ";
    const std::size_t begin = text.find(name) + name.size();
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  Settings settings_;
  Metrics metrics_;
  SessionLimits limits_{settings_, clock_, metrics_};
};

TEST_F(SessionLimitsTest, AUserWhoBeginsTooFastIsToldWhenToComeAgain) {
  EXPECT_EQ(begun("alice"), 3);
  const auto refused = limits_.admit("alice");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::TooManySessions);
  EXPECT_THAT(refused.error().message, HasSubstr("faster than a user may, 2 a second"));
  EXPECT_EQ(refused.error().retry_after, seconds(1));
  EXPECT_EQ(count_of("upgrade-rate-per-user"), "2");
  clock_.advance(seconds(1));
  EXPECT_EQ(begun("alice"), 2);
}

TEST_F(SessionLimitsTest, OneUserWhoIsRefusedTakesNothingFromTheOthers) {
  for (int i = 0; i < 100; ++i) begun("alice");
  EXPECT_EQ(begun("bob"), 3);
  EXPECT_EQ(begun("carol"), 3);
  EXPECT_EQ(count_of("upgrade-rate"), "0");
}

TEST_F(SessionLimitsTest, InAllTheyAreLimitedToo) {
  for (const char* user : {"a", "b", "c"}) EXPECT_EQ(begun(user), 3);
  EXPECT_EQ(begun("d"), 1);
  const auto refused = limits_.admit("e");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("than this server takes on, 10 a second"));
  EXPECT_EQ(refused.error().retry_after, seconds(1));
  EXPECT_EQ(count_of("upgrade-rate"), "2");
  clock_.advance(milliseconds(100));
  EXPECT_EQ(begun("e"), 1);
}

TEST_F(SessionLimitsTest, WhoIsOverTheNumberOfSessionsIsNotChargedForTheAttempt) {
  settings_.max_sessions_per_user = 1;
  {
    const auto running = limits_.admit("alice");
    ASSERT_TRUE(running);
    EXPECT_EQ(begun("alice"), 0);
    EXPECT_THAT(limits_.admit("alice").error().message, HasSubstr("end one first"));
  }
  EXPECT_EQ(begun("alice"), 2);
  EXPECT_EQ(count_of("sessions-per-user"), "2");
}

TEST_F(SessionLimitsTest, NoneBeginsWhileTooMuchIsHeldForSlowClients) {
  settings_.max_buffered_bytes = 1'000'000;
  {
    const auto held = ws::PooledBuffer::take(1'000'000);
    const auto refused = limits_.admit("alice");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("sessions hold 1000000 bytes"));
    EXPECT_EQ(refused.error().retry_after, seconds(5));
  }
  EXPECT_EQ(count_of("buffered-bytes"), "1");
  EXPECT_TRUE(limits_.admit("alice"));
}

TEST_F(SessionLimitsTest, WhoHasNotComeForAWhileIsForgotten) {
  settings_.upgrade_rate = {.per_second = 10'000'000, .burst = 10'000'000};
  const auto running = limits_.admit("running");
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 1'000; ++i) begun(std::to_string(round) + "-" + std::to_string(i), 1);
    clock_.advance(seconds(10));
  }
  EXPECT_LE(limits_.known_users(), 3'000u);
  EXPECT_EQ(limits_.running(), 1u);
}

}  // namespace
}  // namespace sluice::gateway
