#include "backend/kubernetes/logs/log_cursor.h"

#include <gtest/gtest.h>

namespace sluice::backend::kubernetes {
namespace {

using Found = LogCursor::Found;
using Step = LogCursor::Step;

const LogFile kFirst{0, "20260102-030405", false};
const LogFile kSecond{0, "20260102-040506", false};
const LogFile kCurrent{0, {}, false};

LogFile compressed(LogFile file) {
  file.compressed = true;
  return file;
}

TEST(LogCursor, NextRequestBeginsWithTheBytesThatWereReadLast) {
  LogCursor cursor({kCurrent}, 0, 0);
  EXPECT_EQ(cursor.wanted_begin(), 0U);
  EXPECT_TRUE(cursor.is_unknown());
  cursor.begin_body(0);
  EXPECT_EQ(cursor.take(std::string(200, 'a')), 0U);
  EXPECT_EQ(cursor.take(std::string(100, 'b')), 0U);
  EXPECT_FALSE(cursor.is_unknown());
  EXPECT_EQ(cursor.wanted_begin(), 300U - LogCursor::kOverlapBytes);

  cursor.begin_body(cursor.wanted_begin());
  EXPECT_EQ(cursor.take(std::string(150, 'a')), 150U);
  EXPECT_EQ(cursor.take(std::string(6, 'a') + std::string(100, 'b') + "new"), 106U);
  EXPECT_TRUE(cursor.end_body());
  EXPECT_EQ(cursor.wanted_begin(), 303U - LogCursor::kOverlapBytes);
}

TEST(LogCursor, WholeFileInsteadOfARangeIsSkippedToThePlace) {
  LogCursor cursor({kCurrent}, 0, 0);
  const std::string text = std::string(300, 'x') + "end";
  cursor.begin_body(0);
  ASSERT_TRUE(cursor.take(text));
  cursor.begin_body(0);
  EXPECT_EQ(cursor.take(text + "more"), text.size());
}

TEST(LogCursor, OtherBytesAreAnotherFile) {
  LogCursor cursor({kCurrent}, 0, 0);
  cursor.begin_body(0);
  ASSERT_TRUE(cursor.take("old"));
  cursor.begin_body(0);
  EXPECT_EQ(cursor.take("one").error().code, ErrorCode::Conflict);
}

TEST(LogCursor, ShorterFileIsAnotherFile) {
  LogCursor cursor({kCurrent}, 0, 0);
  cursor.begin_body(0);
  ASSERT_TRUE(cursor.take("old"));
  cursor.begin_body(0);
  ASSERT_TRUE(cursor.take("ol"));
  EXPECT_FALSE(cursor.end_body());
}

TEST(LogCursor, RotatedFileIsTheOneBehindThatBefore) {
  LogCursor cursor({kFirst, kCurrent}, 1, 0);
  EXPECT_EQ(cursor.find_in({kFirst, kCurrent}), Found::Same);
  EXPECT_EQ(cursor.find_in({kFirst}), Found::Nowhere);  // between two names
  EXPECT_EQ(cursor.find_in({compressed(kFirst), kSecond, kCurrent}), Found::Moved);
  EXPECT_EQ(cursor.file(), kSecond);
  EXPECT_EQ(cursor.find_in({kFirst, compressed(kSecond), kCurrent}), Found::Moved);
  EXPECT_EQ(cursor.file(), compressed(kSecond));
  EXPECT_EQ(cursor.find_in({LogFile{0, "20260102-050607", false}, kCurrent}), Found::Lost);
}

TEST(LogCursor, FileOfWhichNothingWasReadIsLostWhenThatBeforeIsGone) {
  LogCursor cursor({kFirst, kCurrent}, 1, 0);
  EXPECT_EQ(cursor.find_in({kSecond, kCurrent}), Found::Lost);
}

TEST(LogCursor, RotationThatIsTakenBackLeavesTheFileItsName) {
  LogCursor cursor({kFirst, kSecond, kCurrent}, 1, 0);
  EXPECT_EQ(cursor.find_in({kFirst, kCurrent}), Found::Moved);
  EXPECT_EQ(cursor.file(), kCurrent);
}

TEST(LogCursor, BeginsWhereItIsTold) {
  LogCursor cursor({kFirst, kCurrent}, 0, 100);
  EXPECT_EQ(cursor.wanted_begin(), 99U);  // an empty part can't be asked for
  cursor.begin_body(0);                   // a compressed file comes whole
  EXPECT_EQ(cursor.take(std::string(60, 'a')), 60U);
  EXPECT_EQ(cursor.take(std::string(40, 'a') + "new"), 40U);
}

TEST(LogCursor, StepsToTheNextFile) {
  LogCursor cursor({kFirst, kCurrent}, 0, 0);
  cursor.begin_body(0);
  ASSERT_TRUE(cursor.take("text"));
  EXPECT_EQ(cursor.step({kFirst}), Step::None);
  EXPECT_EQ(cursor.step({kFirst, kSecond, kCurrent}), Step::Next);
  EXPECT_EQ(cursor.file(), kSecond);
  EXPECT_EQ(cursor.wanted_begin(), 0U);
  EXPECT_EQ(cursor.step({kFirst, kSecond, kCurrent}), Step::Next);
  EXPECT_EQ(cursor.file(), kCurrent);
  EXPECT_EQ(cursor.step({kFirst, kSecond, kCurrent}), Step::None);
}

TEST(LogCursor, NextFileIsKnownWhenThisOneIsRemovedOnlyIfItHadItsName) {
  const LogFile third{0, "20260102-050607", false};
  LogCursor cursor({kFirst, kSecond, kCurrent}, 0, 0);
  EXPECT_EQ(cursor.step({kSecond, third, kCurrent}), Step::Next);
  EXPECT_EQ(cursor.file(), kSecond);
  EXPECT_EQ(cursor.step({kCurrent}), Step::Lost);  // third's successors may have gone, too
  LogCursor newest({kFirst, kCurrent}, 0, 0);
  EXPECT_EQ(newest.step({third, kCurrent}), Step::Lost);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
