#include <gmock/gmock.h>

#include "backend/kubernetes/logs/api_log_stream_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ApiLogStreamTest, FollowThatIsSilentWhileThereAreNewerLinesIsTakenUpAgain) {
  expect_body(lines(0, 3));
  follow();
  expect_whole_body(line(5));
  expect_body(lines(0, 6));
  wait(ApiLogStream::kFirstCheck + ApiLogStream::kMaxSilence + seconds(1));
  EXPECT_EQ(out_, texts(0, 6));
  EXPECT_EQ(query(1), "container=main&timestamps=true&tailLines=1&limitBytes=64");
  EXPECT_THAT(query(2), HasSubstr("follow=true"));
}

TEST_F(ApiLogStreamTest, FollowThatHasTheNewestLineIsLeftAloneAndCheckedLessAndLess) {
  expect_body(lines(0, 3));
  follow();
  for (int check = 0; check < 4; ++check) expect_whole_body(line(3));
  wait(seconds(5 + 10 + 20 + 40) + milliseconds(1));
  EXPECT_EQ(server_.calls().size(), 1U + 4U);
  EXPECT_EQ(out_, texts(0, 3));
}

TEST_F(ApiLogStreamTest, FollowThatBroughtMuchIsCheckedSoonAgain) {
  const auto body = expect_body(lines(0, 3));
  follow();
  expect_whole_body(line(3));
  wait(seconds(5));
  std::string much = line(4);
  much.insert(much.size() - 1, ApiLogStream::kMuchBytes, 'x');
  body->write(much);
  testing::run_until_idle(loop_);
  expect_whole_body(line(4));
  wait(seconds(5));
  EXPECT_EQ(server_.calls().size(), 1U + 2U);
}

TEST_F(ApiLogStreamTest, LogThatWasRotatedWhileTheWayWasCutIsNotFollowedInSilence) {
  expect_body(lines(0, 3))->cut();
  expect_body();
  follow();
  expect_whole_body("");
  wait(ApiLogStream::kFirstCheck + ApiLogStream::kMaxSilence + ApiLogStream::kRecordPatience +
       seconds(1));
  EXPECT_EQ(out_, texts(0, 3));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message, "log lines lost");
}

TEST_F(ApiLogStreamTest, LogThatIsRotatedWhileItIsFollowedIsFollowedOn) {
  const auto body = expect_body(lines(0, 3));
  follow();
  expect_whole_body("");
  wait();
  body->write(line(4));
  testing::run_until_idle(loop_);
  EXPECT_EQ(out_, texts(0, 4));
}

TEST_F(ApiLogStreamTest, LineThatNoBodyBringsIsWaitedForOnce) {
  expect_body(lines(0, 3));
  follow();
  expect_whole_body(line(5));  // a part of a line that has not ended
  expect_body(lines(0, 3));
  wait();
  expect_whole_body(line(5));
  wait();
  EXPECT_EQ(server_.calls().size(), 4U);
}

TEST_F(ApiLogStreamTest, NodeThatDoesNotTellItsNewestLineEndsNoFollow) {
  expect_body(lines(0, 3));
  follow();
  expect_refusal(500, "no");
  wait();
  EXPECT_EQ(server_.calls().size(), 2U);
  EXPECT_FALSE(error_);
}

TEST_F(ApiLogStreamTest, FollowOfATailOfAnEmptyLogMissesNothingThatCameWhileTheWayWasCut) {
  expect_body()->cut();
  expect_body(lines(0, 50));
  open({.follow = true, .tail_lines = 10});
  wait();
  EXPECT_THAT(query(0), HasSubstr("tailLines=10"));
  EXPECT_THAT(query(1), Not(HasSubstr("tailLines")));
  EXPECT_EQ(out_, texts(0, 50));
}

TEST_F(ApiLogStreamTest, FollowOfATailOfAnEmptyLogThatStalledMissesNothing) {
  expect_body();
  open({.follow = true, .tail_lines = 10});
  expect_whole_body(line(50));
  expect_body(lines(0, 50));
  wait();
  EXPECT_THAT(query(2), Not(HasSubstr("tailLines")));
  EXPECT_EQ(out_, texts(0, 50));
}

TEST_F(ApiLogStreamTest, QuietFollowLives) {
  const auto body = expect_body(lines(0, 1));
  follow();
  wait(std::chrono::hours(5));
  body->write(line(2));
  testing::run_until_idle(loop_);
  EXPECT_EQ(out_, texts(0, 2));
  EXPECT_THAT(query(1), HasSubstr("tailLines=1"));  // only checked on
  EXPECT_FALSE(error_);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
