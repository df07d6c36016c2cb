#include "loglines/reader.h"

#include <gmock/gmock.h>

#include "loglines/reference_reader.h"
#include "testing/seeded_random.h"

namespace sluice::loglines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Lines = std::vector<std::string>;

constexpr const char* kT1 = "2026-01-01T00:00:01.000000000Z ";
constexpr const char* kT2 = "2026-01-01T00:00:02.000000000Z ";

std::string at(const char* stamp, const std::string& rest) { return stamp + rest + "\n"; }

Lines read(const std::string& log, const ReaderOptions& options = {}) {
  return read_lines(log, options, 256 << 10, 64);
}

ReaderOptions keep_stamps() {
  ReaderOptions options;
  options.timestamps = Timestamps::Keep;
  return options;
}

ReaderOptions limited_to(std::uint64_t bytes) {
  ReaderOptions options;
  options.limit_bytes = bytes;
  return options;
}

TEST(Reader, YieldsTheTextOfLinesWithTheirEnds) {
  EXPECT_THAT(read(at(kT1, "stdout F one") + at(kT1, "stderr F ") + at(kT2, "stdout F two words")),
              ElementsAre("one\n", "\n", "two words\n"));
}

TEST(Reader, KeptStampsStandBeforeTheText) {
  EXPECT_THAT(read(at(kT1, "stdout F one") + at(kT2, "stderr F "), keep_stamps()),
              ElementsAre(std::string(kT1) + "one\n", std::string(kT2) + "\n"));
}

TEST(Reader, OtherStampsAreKeptAsNanosecondsUtc) {
  EXPECT_THAT(read("2026-01-01T02:00:01+02:00 stdout F a\n2026-01-01T00:00:01Z stdout F b\n"
                   "2026-01-01T00:00:01.5Z stderr F c\n",
                   keep_stamps()),
              ElementsAre(std::string(kT1) + "a\n", std::string(kT1) + "b\n",
                          "2026-01-01T00:00:01.500000000Z c\n"));
}

TEST(Reader, PartsAreJoinedPerChannel) {
  EXPECT_THAT(read(at(kT1, "stdout P a") + at(kT1, "stderr P x") + at(kT1, "stdout P b") +
                   at(kT1, "stderr F y") + at(kT2, "stderr F z") + at(kT2, "stdout F c")),
              ElementsAre("xy\n", "z\n", "abc\n"));
}

TEST(Reader, ALineInPartsHasTheStampOfItsFirst) {
  EXPECT_THAT(read(at(kT1, "stdout P a") + at(kT2, "stdout F b"), keep_stamps()),
              ElementsAre(std::string(kT1) + "ab\n"));
}

TEST(Reader, ALastPartWithoutAnEndIsALineWithoutNewline) {
  EXPECT_THAT(read(at(kT1, "stdout F a") + at(kT1, "stderr P prompt> ") + at(kT1, "stdout P b")),
              ElementsAre("a\n", "b", "prompt> "));
}

TEST(Reader, TagsAfterTheFirstAreIgnored) {
  EXPECT_THAT(read(at(kT1, "stdout P:x a") + at(kT1, "stdout F:P b")), ElementsAre("ab\n"));
}

TEST(Reader, LinesInNoFormatComeOutAsTheyAre) {
  EXPECT_THAT(read("panic: x\n\n" + at(kT1, "stdout P a") + "2026 stdout F b\n" +
                   at(kT1, "stdin F c") + at(kT1, "stdout F d")),
              ElementsAre("panic: x\n", "\n", "2026 stdout F b\n", at(kT1, "stdin F c"), "ad\n"));
}

TEST(Reader, SinceLeavesOutLinesThatBeganEarlier) {
  ReaderOptions options;
  options.since = WallTime(seconds(1'767'225'602));
  EXPECT_THAT(read(at(kT1, "stdout F old") + "neither\n" + at(kT1, "stdout P o") +
                       at(kT2, "stdout F ld") + at(kT2, "stdout F new") + "nor\n" +
                       "2026-01-01T00:00:01.9Z stdout F old\n2026-01-01T00:00:02Z stdout F 2\n",
                   options),
              ElementsAre("new\n", "nor\n", "2\n"));
}

TEST(Reader, LimitCutsALine) {
  const std::string log = at(kT1, "stdout F 1234") + at(kT1, "stdout F 5678");
  EXPECT_THAT(read(log, limited_to(7)), ElementsAre("1234\n", "56"));
  EXPECT_THAT(read(log, limited_to(5)), ElementsAre("1234\n"));
  EXPECT_THAT(read(log, limited_to(100)), ElementsAre("1234\n", "5678\n"));
}

TEST(Reader, LimitCountsStamps) {
  ReaderOptions options = limited_to(36);
  options.timestamps = Timestamps::Keep;
  EXPECT_THAT(read(at(kT1, "stdout F 1") + at(kT1, "stdout F 2"), options),
              ElementsAre(std::string(kT1) + "1\n", "202"));
}

TEST(Reader, StampedLinesAreTheKubernetesApis) {
  ReaderOptions options;
  options.format = Format::Stamped;
  const std::string log = at(kT1, "one") + at(kT2, "") + "2026-01-01T00:00:02.5Z two\nbare\n";
  EXPECT_THAT(read(log, options), ElementsAre("one\n", "\n", "two\n", "bare\n"));
  options.timestamps = Timestamps::Keep;
  EXPECT_THAT(read(log, options), ElementsAre(at(kT1, "one"), at(kT2, ""),
                                              "2026-01-01T00:00:02.500000000Z two\n", "bare\n"));
}

TEST(Reader, SkippedRecordsArePerChannel) {
  const std::string first = at(kT1, "stdout P a");
  ReaderOptions options;
  options.skip_bytes = {0, first.size() + 1, 0};
  EXPECT_THAT(
      read(first + at(kT1, "stderr F x") + at(kT1, "stdout F b") + at(kT1, "stderr F y"), options),
      ElementsAre("ab\n", "y\n"));
}

TEST(Reader, ALineOver1MiBComesInPiecesOfBoundedSize) {
  Reader reader({});
  std::vector<Piece> pieces(64);
  std::string line;
  std::size_t ends = 0;
  const auto feed = [&](std::string record) {
    const auto progress = reader.feed(record, pieces);
    EXPECT_EQ(progress.consumed, record.size());
    for (std::size_t i = 0; i < progress.pieces; ++i) {
      EXPECT_LE(pieces[i].text.size(), Reader::kMaxLineBytes + record.size());
      line += pieces[i].text;
      ends += pieces[i].ends_line ? 1 : 0;
    }
    return progress.pieces;
  };
  const std::string part(16'384, 'x');
  for (int i = 0; i < 192; ++i) feed(at(kT1, "stdout P " + part));
  EXPECT_EQ(ends, 0U);
  EXPECT_EQ(line.size(), 3U << 20);
  EXPECT_EQ(feed(at(kT1, "stderr F waits")), 0U);
  EXPECT_EQ(feed(at(kT1, "stdout F end")), 2U);
  EXPECT_EQ(ends, 2U);
  EXPECT_TRUE(line.ends_with("xend\nwaits\n"));
}

TEST(Reader, AnotherChannelDoesNotWaitForALongLineForEver) {
  Reader reader({});
  std::vector<Piece> pieces(8);
  std::vector<std::string> lines;
  std::string line;
  const auto feed = [&](std::string record) {
    for (std::span<char> rest(record); !rest.empty();) {
      const auto progress = reader.feed(rest, pieces);
      rest = rest.subspan(progress.consumed);
      for (std::size_t i = 0; i < progress.pieces; ++i) {
        line += pieces[i].text;
        if (pieces[i].ends_line) lines.push_back(std::exchange(line, {}));
      }
    }
  };
  const std::string part(16'384, 'x');
  for (int i = 0; i < 65; ++i) feed(at(kT1, "stdout P " + part));
  for (int i = 0; i < 65; ++i) feed(at(kT1, "stderr F " + part));
  feed(at(kT1, "stdout F end"));
  ASSERT_EQ(lines.size(), 67U);
  EXPECT_EQ(lines[0].size(), 65U * 16'384);
  EXPECT_EQ(lines[1], part + "\n");
  EXPECT_EQ(lines[66], "end\n");
}

TEST(Reader, ARecordLongerThanABlockIsTakenPieceByPiece) {
  const std::string text(300'000, 'x');
  const std::string log = at(kT1, "stdout F " + text) + text + "\n" + at(kT1, "stdout F next");
  EXPECT_EQ(read_lines(log, {}, 65'536, 8), (Lines{text + "\n", text + "\n", "next\n"}));
  EXPECT_EQ(read_lines(log, keep_stamps(), 65'536, 8),
            (Lines{at(kT1, text), text + "\n", at(kT1, "next")}));
}

TEST(Reader, ATornLastRecordIsNotLost) {
  EXPECT_THAT(read(at(kT1, "stdout F a") + kT1 + "stdout F torn"), ElementsAre("a\n", "torn"));
  EXPECT_THAT(read(at(kT1, "stdout F a") + "2026-01-"), ElementsAre("a\n", "2026-01-"));
}

TEST(Reader, NothingYieldsNothing) { EXPECT_THAT(read(""), IsEmpty()); }

/// A log of all kinds of records, in an order that the seed chooses.
std::string random_log(testing::SeededRandom& random) {
  static const char* const kStamps[] = {
      "2026-01-01T00:00:01.000000000Z", "2026-01-01T00:00:02.000000000Z", "2026-01-01T00:00:01Z",
      "2026-01-01T02:00:02.25+02:00",   "2026-01-01T00:00:02.000Z",       "not-a-stamp"};
  static const char* const kMiddles[] = {" stdout F ", " stderr F ", " stdout P ",   " stderr P ",
                                         " stdout F ", " stderr F ", " stdout F:x ", " stdin F ",
                                         " stdout  ",  " "};
  std::string log;
  for (std::uint64_t count = random.next() % 12; count > 0; --count) {
    const std::uint64_t choice = random.next() % 20;
    if (choice == 0) {
      log += "\n";
      continue;
    }
    log += kStamps[choice < 12 ? choice % 2 : random.next() % std::size(kStamps)];
    log += kMiddles[random.next() % std::size(kMiddles)];
    log.append(random.next() % 40, static_cast<char>('a' + random.next() % 26));
    if (count > 1 || random.next() % 4 != 0) log += '\n';
  }
  return log;
}

ReaderOptions random_options(testing::SeededRandom& random) {
  ReaderOptions options;
  if (random.next() % 3 == 0) options.format = Format::Stamped;
  if (random.next() % 2 == 0) options.timestamps = Timestamps::Keep;
  if (random.next() % 3 == 0) options.since = WallTime(seconds(1'767'225'602));
  if (random.next() % 3 == 0) options.limit_bytes = 1 + random.next() % 200;
  return options;
}

TEST(Reader, AnyLogInAnyBlocksIsWhatTheReferenceSays) {
  testing::SeededRandom random{3};
  for (int run = 0; run < 20'000; ++run) {
    const std::string log = random_log(random);
    const ReaderOptions options = random_options(random);
    const std::size_t block = 1 + random.next() % 200;
    const std::size_t room = Reader::kMinPieces + random.next() % 8;
    ASSERT_EQ(read_lines(log, options, block, room), reference_lines(log, options))
        << "run " << run << ", blocks of " << block << ", log:\n"
        << log;
  }
}

TEST(Reader, ALogSplitAtEveryPositionIsTheSame) {
  const std::string log = at(kT1, "stdout F one") + at(kT1, "stdout P two ") +
                          at(kT2, "stderr F x") + at(kT2, "stdout F three") + "plain\n" +
                          at(kT2, "stdout P end");
  const Lines whole = reference_lines(log, keep_stamps());
  for (std::size_t block = 1; block <= log.size(); ++block) {
    ASSERT_EQ(read_lines(log, keep_stamps(), block, Reader::kMinPieces), whole) << block;
  }
}

}  // namespace
}  // namespace sluice::loglines
