#include "backend/local/log_stream.h"

#include <unistd.h>

#include <deque>
#include <thread>

#include <gmock/gmock.h>

#include "backend/local/log_test_support.h"
#include "net/task_group.h"
#include "testing/seeded_random.h"
#include "testing/temporary_folder.h"
#include "testing/test_loop.h"

namespace sluice::backend::local {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Lines = std::vector<std::string>;

class LogStreamTest : public ::testing::Test {
 protected:
  std::shared_ptr<ContainerLog> make_log(LogSettings settings = {}) {
    return ContainerLog::create(temporary_.path() + "/pod/main", clock_, settings);
  }
  std::shared_ptr<ContainerLog> make_running_log(LogSettings settings = {}) {
    auto log = make_log(settings);
    log->begin_run(0);
    return log;
  }
  std::unique_ptr<LogStream> open(const std::shared_ptr<ContainerLog>& log,
                                  LogOptions options = {}) {
    auto stream = open_log_stream(log, options, loop_.executor());
    if (!stream) std::abort();
    return *std::move(stream);
  }
  static void write(const std::shared_ptr<ContainerLog>& log, std::string_view text,
                    OutputChannel channel = OutputChannel::Stdout) {
    log->write(channel, as_bytes(text));
  }
  /// What can be read now. An error becomes the last line.
  Lines read(LogStream& stream) {
    Lines lines;
    for (;;) {
      const auto pieces = stream.read();
      if (!pieces) lines.push_back("error: " + pieces.error().message);
      if (!pieces || pieces->empty()) return lines;
      for (const LogPiece& piece : *pieces) {
        unended_ += piece.text;
        if (piece.ends_line) lines.push_back(std::exchange(unended_, {}));
      }
    }
  }
  Lines read_all(const std::shared_ptr<ContainerLog>& log, LogOptions options) {
    const auto stream = open(log, options);
    Lines lines = read(*stream);
    EXPECT_EQ(stream->end(), StreamEnd::Completed);
    return lines;
  }

  testing::TemporaryFolder temporary_;
  SetClock clock_;
  net::EventLoop loop_;
  std::string unended_;
};

constexpr LogOptions kFollow{.follow = true};

LogOptions tail(std::uint64_t lines) {
  LogOptions options;
  options.tail_lines = lines;
  return options;
}

LogSettings small_files(std::uint64_t bytes, std::size_t files = 5) {
  LogSettings settings;
  settings.rotate_bytes = bytes;
  settings.files = files;
  return settings;
}

TEST_F(LogStreamTest, OneShotEndsAtWhatWasThereWhenOpened) {
  const auto log = make_running_log();
  write(log, "1\n2\n");
  const auto stream = open(log);
  write(log, "3\n");
  EXPECT_THAT(read(*stream), ElementsAre("1\n", "2\n"));
  EXPECT_EQ(stream->end(), StreamEnd::Completed);
  EXPECT_EQ(stream->end_reason(), "end of logs");
}

TEST_F(LogStreamTest, FollowGoesOnUntilTheContainerEnds) {
  const auto log = make_running_log();
  write(log, "1\n");
  const auto stream = open(log, kFollow);
  EXPECT_THAT(read(*stream), ElementsAre("1\n"));
  EXPECT_THAT(read(*stream), IsEmpty());
  write(log, "2\nunended");
  EXPECT_THAT(read(*stream), ElementsAre("2\n"));
  log->end_run();
  EXPECT_THAT(read(*stream), ElementsAre("unended"));
  EXPECT_EQ(stream->end(), StreamEnd::Completed);
  EXPECT_EQ(stream->end_reason(), "container ended");
}

TEST_F(LogStreamTest, ADeletedPodEndsItsFollowers) {
  const auto log = make_running_log();
  const auto stream = open(log, kFollow);
  log->pod_deleted();
  write(log, "bye\n");
  EXPECT_THAT(read(*stream), ElementsAre("bye\n"));
  EXPECT_EQ(stream->end(), std::nullopt);
  log->end_run();
  EXPECT_THAT(read(*stream), IsEmpty());
  EXPECT_EQ(stream->end(), StreamEnd::TargetDeleted);
  EXPECT_EQ(stream->end_reason(), "pod deleted");
}

TEST_F(LogStreamTest, AFollowerBeforeTheFirstRunWaitsForIt) {
  const auto log = make_log();
  const auto stream = open(log, kFollow);
  EXPECT_THAT(read(*stream), IsEmpty());
  EXPECT_EQ(stream->end(), std::nullopt);
  log->begin_run(0);
  write(log, "1\n");
  EXPECT_THAT(read(*stream), ElementsAre("1\n"));
  EXPECT_THAT(read_all(make_log(), {}), IsEmpty());
}

TEST_F(LogStreamTest, APodDeletedBeforeItsFirstRunEndsItsFollowers) {
  const auto log = make_log();
  const auto stream = open(log, kFollow);
  log->pod_deleted();
  EXPECT_THAT(read(*stream), IsEmpty());
  EXPECT_EQ(stream->end(), StreamEnd::TargetDeleted);
}

TEST_F(LogStreamTest, AFollowStaysWithItsRun) {
  const auto log = make_running_log();
  write(log, "1\n");
  const auto stream = open(log, kFollow);
  log->end_run();
  log->begin_run(1);
  write(log, "2\n");
  log->begin_run(2);
  EXPECT_THAT(read(*stream), ElementsAre("1\n"));
  EXPECT_EQ(stream->end_reason(), "container ended");
}

TEST_F(LogStreamTest, PreviousIsTheRunBefore) {
  const auto log = make_running_log();
  const LogOptions previous{.previous = true};
  EXPECT_EQ(open_log_stream(log, previous, loop_.executor()).error().code, ErrorCode::NotFound);
  write(log, "1\n");
  log->end_run();
  log->begin_run(1);
  write(log, "2\n");
  EXPECT_THAT(read_all(log, previous), ElementsAre("1\n"));
  EXPECT_THAT(read_all(log, {}), ElementsAre("2\n"));
  log->begin_run(2);
  EXPECT_THAT(read_all(log, previous), ElementsAre("2\n"));
}

TEST_F(LogStreamTest, TheTailReachesAcrossFiles) {
  const auto log = make_running_log(small_files(130));
  for (int i = 1; i <= 12; ++i) write(log, std::to_string(i) + "\n");
  EXPECT_THAT(read_all(log, tail(0)), IsEmpty());
  EXPECT_THAT(read_all(log, tail(1)), ElementsAre("12\n"));
  EXPECT_THAT(read_all(log, tail(5)), ElementsAre("8\n", "9\n", "10\n", "11\n", "12\n"));
  EXPECT_EQ(read_all(log, tail(100)).size(), 12U);
}

TEST_F(LogStreamTest, TailAndFollowGoTogether) {
  const auto log = make_running_log();
  write(log, "1\n2\n");
  LogOptions options = tail(1);
  options.follow = true;
  const auto stream = open(log, options);
  write(log, "3\n");
  EXPECT_THAT(read(*stream), ElementsAre("2\n", "3\n"));
}

TEST_F(LogStreamTest, SinceIsFoundInLargeLogs) {
  const auto log = make_running_log(small_files(200'000));
  const WallTime begin = clock_.wall;
  for (int i = 0; i < 15'000; ++i) {
    write(log, std::to_string(i) + "\n");
    clock_.wall += seconds(1);
  }
  for (const int first : {0, 1, 5'000, 7'777, 14'999, 15'000}) {
    const Lines lines = read_all(log, {.since = begin + seconds(first)});
    ASSERT_EQ(lines.size(), 15'000U - static_cast<unsigned>(first));
    if (first < 15'000) {
      EXPECT_EQ(lines[0], std::to_string(first) + "\n");
    }
  }
  EXPECT_EQ(read_all(log, {.since = begin - seconds(1)}).size(), 15'000U);
}

TEST_F(LogStreamTest, LimitAndTimestampsAreTheReaders) {
  const auto log = make_running_log();
  write(log, "1\n2\n");
  EXPECT_THAT(read_all(log, {.timestamps = true, .limit_bytes = 36}),
              ElementsAre("2026-01-01T00:00:00.000000000Z 1\n", "202"));
  const auto stream = open(log, {.follow = true, .limit_bytes = 2});
  EXPECT_THAT(read(*stream), ElementsAre("1\n"));
  EXPECT_EQ(stream->end(), StreamEnd::Completed);
}

TEST_F(LogStreamTest, UnendedLinesOfBothChannelsDoNotMix) {
  const auto log = make_running_log();
  const std::string part(20'000, 'o');
  const auto stream = open(log, kFollow);
  write(log, part);
  write(log, std::string(20'000, 'e'), OutputChannel::Stderr);
  write(log, part + "\n");
  write(log, "end\n", OutputChannel::Stderr);
  EXPECT_THAT(read(*stream), ElementsAre(part + part + "\n", std::string(20'000, 'e') + "end\n"));
}

TEST_F(LogStreamTest, ALineOf3MiBIsOneLine) {
  const auto log = make_running_log();
  const std::string line(3 << 20, 'x');
  write(log, line + "\nnext\n");
  const Lines lines = read_all(log, {});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].size(), line.size() + 1);
  EXPECT_EQ(read_all(log, tail(2))[0].size(), line.size() + 1);
}

TEST_F(LogStreamTest, DeletedFilesAreReadByWhoHoldsThem) {
  const auto log = make_running_log(small_files(130, 2));
  const auto stream = open(log, kFollow);
  Lines expected;
  for (int i = 1; i <= 30; ++i) {
    write(log, std::to_string(i) + "\n");
    expected.push_back(std::to_string(i) + "\n");
  }
  EXPECT_EQ(read(*stream), expected);
  EXPECT_LE(read_all(log, {}).size(), 6U);
}

TEST_F(LogStreamTest, BeyondTheCapLinesAreLostAndItIsSaid) {
  LogSettings settings = small_files(130, 2);
  settings.deleted_bytes = 400;
  const auto log = make_running_log(settings);
  const auto slow = open(log, kFollow);
  for (int i = 1; i <= 30; ++i) write(log, std::to_string(i) + "\n");
  EXPECT_THAT(read(*slow), ElementsAre("error: log lines lost"));
}

TEST_F(LogStreamTest, AFollowerIsToldOnceOfLinesThatTheDiskRefused) {
  LogSettings settings;
  settings.pwrite = write_to_small_disk;
  const auto log = make_running_log(settings);
  disk_space = 42;
  const auto stream = open(log, kFollow);
  write(log, "1\n2\n");
  EXPECT_THAT(read(*stream), ElementsAre("1\n", "error: log lines lost"));

  const auto later = open(log, kFollow);
  EXPECT_THAT(read(*later), ElementsAre("1\n"));
  disk_space = 10'000;
  write(log, "3\n");
  const std::string notice = "sluiced: 42 bytes of this log were lost: No space left on device\n";
  EXPECT_THAT(read(*later), ElementsAre(notice, "3\n"));
  EXPECT_THAT(read_all(log, {}), ElementsAre("1\n", notice, "3\n"));
}

/// Fills the disk within a line that is stored in parts: its first two are stored, its rest is
/// lost.
void tear_a_line(const std::shared_ptr<ContainerLog>& log) {
  disk_space = 2 * (LogWriter::kPartBytes + 41);
  log->write(OutputChannel::Stdout, as_bytes(std::string(40'000, 'a')));
  log->write(OutputChannel::Stdout, as_bytes("torn\n"));
  disk_space = 1 << 20;
}

TEST_F(LogStreamTest, ALineTornByAFullDiskIsNotJoinedWithTheNext) {
  LogSettings settings;
  settings.pwrite = write_to_small_disk;
  const auto log = make_running_log(settings);
  tear_a_line(log);
  write(log, "next\n");
  const std::string kept = std::string(2 * LogWriter::kPartBytes, 'a') + "\n";
  const Lines lines = read_all(log, {});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], kept);
  EXPECT_THAT(lines[1], HasSubstr("bytes of this log were lost"));
  EXPECT_EQ(lines[2], "next\n");
  EXPECT_EQ(read_all(log, tail(3)), lines);
}

TEST_F(LogStreamTest, TheRestOfATornLineIsALineOfItsOwn) {
  LogSettings settings;
  settings.pwrite = write_to_small_disk;
  const auto log = make_running_log(settings);
  disk_space = 1 << 20;
  write(log, std::string(20'000, 'e'), OutputChannel::Stderr);
  tear_a_line(log);
  write(log, "rest\n", OutputChannel::Stderr);
  const Lines lines = read_all(log, {});
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1], std::string(LogWriter::kPartBytes, 'e') + "\n");
  EXPECT_EQ(lines[3], std::string(20'000 - LogWriter::kPartBytes, 'e') + "rest\n");
}

struct Reading {
  std::unique_ptr<LogStream> stream;
  std::string text;
  std::string error;
};

net::Task<> follow(Reading& reading) {
  while (!reading.stream->end()) {
    const Result<> ready = co_await reading.stream->readable();
    if (!ready) co_return;
    const auto pieces = reading.stream->read();
    if (!pieces) {
      reading.error = pieces.error().message;
      co_return;
    }
    for (const LogPiece& piece : *pieces) reading.text += piece.text;
  }
}

TEST_F(LogStreamTest, WaitingFollowersAreWoken) {
  const auto log = make_running_log();
  std::deque<Reading> readings;
  net::TaskGroup group(loop_.executor());
  for (int i = 0; i < 1'000; ++i) {
    readings.push_back({open(log, kFollow), {}, {}});
    group.spawn("follow", follow(readings.back()));
  }
  testing::run_until_idle(loop_);
  write(log, "1\n");
  testing::run_until_idle(loop_);
  for (const Reading& reading : readings) ASSERT_EQ(reading.text, "1\n");
  log->end_run();
  testing::run_until_empty(loop_, group);
}

/// Lines of any length, now and then without an end.
std::string random_text(testing::SeededRandom& random) {
  std::string text;
  for (std::uint64_t count = random.next() % 20; count > 0; --count) {
    const std::uint64_t size =
        random.next() % 50 == 0 ? random.next() % 60'000 : random.next() % 80;
    text.append(size, static_cast<char>('a' + random.next() % 26));
    if (random.next() % 5 != 0) text += '\n';
  }
  return text;
}

TEST_F(LogStreamTest, AFollowerThatPausesLosesAndRepeatsNothing) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    testing::SeededRandom random{seed};
    const auto log =
        make_running_log(small_files(100 + random.next() % 50'000, 1 + random.next() % 4));
    const auto stream = open(log, kFollow);
    std::string written;
    std::string text;
    const auto read_some = [&](std::uint64_t reads) {
      for (; reads > 0 && !stream->end(); --reads) {
        const auto pieces = stream->read();
        ASSERT_TRUE(pieces) << pieces.error().message;
        for (const LogPiece& piece : *pieces) text += piece.text;
      }
    };
    for (int step = 0; step < 100; ++step) {
      const std::string chunk = random_text(random);
      written += chunk;
      write(log, chunk);
      if (random.next() % 3 == 0) read_some(random.next() % 4);
    }
    log->end_run();
    read_some(1'000'000);
    ASSERT_EQ(text.size(), written.size()) << "seed " << seed;
    ASSERT_TRUE(text == written) << "seed " << seed;
  }
}

TEST_F(LogStreamTest, AFollowerOnAnotherThreadLosesAndRepeatsNothing) {
  const auto log = make_running_log(small_files(20'000, 2));
  Reading reading{open(log, kFollow), {}, {}};
  std::string written;
  std::thread writer([&] {
    testing::SeededRandom random{9};
    for (int step = 0; step < 3'000; ++step) {
      const std::string chunk = random_text(random);
      written += chunk;
      write(log, chunk);
    }
    log->end_run();
  });
  net::TaskGroup group(loop_.executor());
  group.spawn("follow", follow(reading));
  testing::run_until_empty(loop_, group);
  writer.join();
  EXPECT_EQ(reading.error, "");
  EXPECT_TRUE(reading.text == written);
  EXPECT_EQ(reading.stream->end_reason(), "container ended");
}

}  // namespace
}  // namespace sluice::backend::local
