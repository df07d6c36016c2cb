#include "loglines/tail_finder.h"

#include <gmock/gmock.h>

#include "loglines/reference_reader.h"
#include "testing/seeded_random.h"

namespace sluice::loglines {
namespace {

using Lines = std::vector<std::string>;

std::string record(const std::string& rest) {
  return "2026-01-01T00:00:01.000000000Z " + rest + "\n";
}

TailFinder::Start find(std::string_view log, std::uint64_t lines, std::size_t block, LogEnd end) {
  TailFinder finder(lines, end);
  std::size_t offered = block;
  while (!finder.found() && !log.empty()) {
    const std::size_t size = std::min(offered, log.size());
    const std::size_t done =
        finder.feed_backward(log.substr(log.size() - size), size == log.size());
    log.remove_suffix(done);
    offered = done == 0 ? offered + block : block;
  }
  return finder.start();
}

/// The tail as a reader sees it that begins where TailFinder says.
Lines tail(const std::string& log, std::uint64_t lines, std::size_t block = 4096,
           LogEnd end = LogEnd::Final) {
  const TailFinder::Start start = find(log, lines, block, end);
  const std::uint64_t first = start.first();
  ReaderOptions options;
  options.skip_bytes = start.skip_bytes();
  return read_lines(std::string_view(log).substr(log.size() - first), options, 256 << 10, 64);
}

TEST(TailFinder, TheLastLines) {
  const std::string log = record("stdout F 1") + record("stderr F 2") + record("stdout F 3");
  EXPECT_EQ(tail(log, 0), Lines{});
  EXPECT_EQ(tail(log, 1), (Lines{"3\n"}));
  EXPECT_EQ(tail(log, 2), (Lines{"2\n", "3\n"}));
  EXPECT_EQ(tail(log, 3), (Lines{"1\n", "2\n", "3\n"}));
  EXPECT_EQ(tail(log, 9), (Lines{"1\n", "2\n", "3\n"}));
}

TEST(TailFinder, PartsCountWithTheirLine) {
  const std::string log = record("stdout F 0") + record("stdout P a") + record("stderr F x") +
                          record("stdout P b") + record("stdout F c");
  EXPECT_EQ(tail(log, 1), (Lines{"abc\n"}));
  EXPECT_EQ(tail(log, 2), (Lines{"x\n", "abc\n"}));
}

TEST(TailFinder, TextWithoutAnEndIsTheLastLineOfAnEndedRunOnly) {
  const std::string log = record("stdout F 1") + record("stdout F 2") + record("stdout P 3");
  EXPECT_EQ(tail(log, 1, 4096, LogEnd::Final), (Lines{"3"}));
  EXPECT_EQ(tail(log, 1, 4096, LogEnd::Open), (Lines{"2\n", "3"}));
}

TEST(TailFinder, ARecordThatIsSkippedIsBeforeTheTail) {
  TailFinder finder(2, LogEnd::Final);
  const std::string last = record("stdout F 3");
  EXPECT_EQ(finder.feed_backward("…long\n" + last, false), last.size());
  finder.skip(1'000'000);
  EXPECT_EQ(finder.start().first(), last.size());
}

std::string random_records(testing::SeededRandom& random) {
  static const char* const kRecords[] = {"stdout F", "stdout F", "stderr F",
                                         "stderr F", "stdout P", "stderr P"};
  std::string log;
  for (std::uint64_t count = random.next() % 12; count > 0; --count) {
    const std::string text(random.next() % 20, static_cast<char>('a' + random.next() % 26));
    log +=
        random.next() % 10 == 0 ? text + "\n" : record(kRecords[random.next() % 6] + (" " + text));
  }
  return log;
}

void count(LineCounter& counter, std::string_view file, std::size_t block) {
  for (; !file.empty(); file.remove_prefix(std::min(block, file.size()))) {
    counter.feed(file.substr(0, block));
  }
}

/// Where the tail begins if `compressed`, which stands before `log`, can only be read forward.
TailFinder::Start find_forward(std::string_view compressed, std::string_view log,
                               std::uint64_t lines, std::size_t block) {
  TailFinder finder(lines, LogEnd::Final);
  while (!log.empty() && !finder.found()) {
    log.remove_suffix(finder.feed_backward(log, true));
  }
  if (finder.found()) return finder.start();
  LineCounter whole;
  count(whole, compressed, block);
  if (finder.lines_left() == 0 || whole.lines() <= finder.lines_left()) {
    finder.take_file(whole);
  } else {
    LineCounter skipped(whole.lines() - finder.lines_left());
    count(skipped, compressed, block);
    finder.begin_in_file(skipped, whole);
  }
  return finder.start();
}

TEST(TailFinder, FileThatIsCountedForwardGivesTheSameTail) {
  testing::SeededRandom random{7};
  const std::string end = record("stdout F o") + record("stderr F e");
  for (int run = 0; run < 20'000; ++run) {
    const std::string compressed = random_records(random);
    const std::string log = random_records(random) + end;
    const std::string whole = compressed + log;
    const std::uint64_t lines = random.next() % 20;
    const auto start = find_forward(compressed, log, lines, 1 + random.next() % 120);
    ReaderOptions options;
    options.skip_bytes = start.skip_bytes();
    const std::string_view tail_of_whole =
        std::string_view(whole).substr(whole.size() - start.first());
    ASSERT_EQ(read_lines(tail_of_whole, options, 256 << 10, 64), tail(whole, lines))
        << lines << " of\n"
        << compressed << "then\n"
        << log;
  }
}

TEST(TailFinder, AnyTailIsTheEndOfTheWhole) {
  testing::SeededRandom random{5};
  for (int run = 0; run < 20'000; ++run) {
    std::string log = random_records(random);
    log += record("stdout F o") + record("stderr F e");
    if (random.next() % 3 == 0) log += record("stdout P end");
    if (random.next() % 3 == 0) log += record("stderr P end");
    const Lines whole = reference_lines(log, {});
    const std::uint64_t count = random.next() % 8;
    const std::size_t size = std::min<std::size_t>(count, whole.size());
    const Lines expected(whole.end() - static_cast<std::ptrdiff_t>(size), whole.end());
    ASSERT_EQ(tail(log, count, 1 + random.next() % 120), expected) << count << " of\n" << log;
  }
}

}  // namespace
}  // namespace sluice::loglines
