#include "observe/audit_trail.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/unique_fd.h"
#include "testing/temporary_folder.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

/// Moves when the test says so; the trail's thread reads it.
struct TestClock final : Clock {
  MonotonicTime now() const override { return MonotonicTime(nanoseconds(passed.load())); }
  WallTime wall_now() const override { return WallTime(nanoseconds(passed.load())); }
  std::atomic<nanoseconds::rep> passed = 0;
};

Result<> append_lines(AuditFile& file, std::string_view lines) { return file.append(lines); }

class AuditTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "audit.log") const { return folder_ / name; }
  std::string content(const std::string& name = "audit.log") const {
    return read_file(path(name), 1 << 20).value_or("missing");
  }

  /// A trail's file that takes 64 KiB and then nothing, until it is read.
  UniqueFd make_fifo() const {
    EXPECT_EQ(::mkfifo(path().c_str(), 0600), 0);
    return UniqueFd(::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }
  /// Waits until it is full.
  static void await_full(const UniqueFd& fifo) {
    constexpr int kFull = 64 << 10;
    for (int unread = 0; unread < kFull; std::this_thread::yield()) {
      ASSERT_EQ(::ioctl(fifo.get(), FIONREAD, &unread), 0);
    }
  }
  /// All that comes until the trail is well again.
  static std::string read_until_well(const UniqueFd& fifo, const AuditTrail& trail) {
    std::string all;
    std::array<char, 4096> block{};
    while (trail.is_failing()) {
      const ssize_t count = ::read(fifo.get(), block.data(), block.size());
      if (count > 0) all.append(block.data(), static_cast<std::size_t>(count));
    }
    return all;
  }

  /// With somebody who reads what is left.
  static void end(const UniqueFd& fifo, std::unique_ptr<AuditTrail> trail) {
    std::thread reader([&fifo] {
      std::array<char, 4096> block{};
      while (::read(fifo.get(), block.data(), block.size()) != 0) std::this_thread::yield();
    });
    trail.reset();
    reader.join();
  }

  TestClock clock_;
  testing::TemporaryFolder folder_;
};

TEST_F(AuditTest, LinesAreAppendedForTheirOwnerAlone) {
  ASSERT_TRUE(write_file_atomically(path(), "before\n", 0600));
  AuditFile file({.path = path()});
  ASSERT_TRUE(append_lines(file, "one\n"));
  ASSERT_TRUE(append_lines(file, "two\nthree\n"));
  EXPECT_EQ(content(), "before\none\ntwo\nthree\n");
  AuditFile other({.path = path("new")});
  ASSERT_TRUE(append_lines(other, "x\n"));
  struct stat status{};
  ASSERT_EQ(::stat(path("new").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(AuditTest, FullFileIsRotatedAndTheOldestGoes) {
  AuditFile file({.path = path(), .max_bytes = 8, .keep = 2});
  for (const char* line : {"one 1\n", "two 2\n", "three\n", "four.\n"}) {
    ASSERT_TRUE(append_lines(file, line));
  }
  EXPECT_EQ(content(), "four.\n");
  EXPECT_EQ(content("audit.log.1"), "three\n");
  EXPECT_EQ(content("audit.log.2"), "two 2\n");
  EXPECT_EQ(content("audit.log.3"), "missing");
}

TEST_F(AuditTest, LinesThatAreLargerThanAFileAreWrittenWhole) {
  AuditFile file({.path = path(), .max_bytes = 4, .keep = 1});
  ASSERT_TRUE(append_lines(file, "longer than that\n"));
  EXPECT_EQ(content(), "longer than that\n");
}

TEST_F(AuditTest, LinesThatComeTogetherAreSpreadOverFiles) {
  AuditFile file({.path = path(), .max_bytes = 8, .keep = 5});
  ASSERT_TRUE(append_lines(file, "1\n"));
  ASSERT_TRUE(append_lines(file, "2\n3\nfour.\nlonger than that\n6\n"));
  EXPECT_EQ(content(), "6\n");
  EXPECT_EQ(content("audit.log.1"), "longer than that\n");
  EXPECT_EQ(content("audit.log.2"), "four.\n");
  EXPECT_EQ(content("audit.log.3"), "1\n2\n3\n");
}

TEST_F(AuditTest, LinesThatWereNotWrittenAreLeft) {
  AuditFile full({.path = "/dev/full"});
  std::string_view lines = "one\ntwo\n";
  EXPECT_FALSE(full.append(lines));
  EXPECT_EQ(lines, "one\ntwo\n");
  AuditFile file({.path = path(), .sync = true});
  EXPECT_TRUE(file.append(lines));
  EXPECT_EQ(lines, "");
  EXPECT_EQ(content(), "one\ntwo\n");
}

TEST_F(AuditTest, FileThatWasMovedAwayIsMadeAnew) {
  AuditFile file({.path = path()});
  ASSERT_TRUE(append_lines(file, "one\n"));
  std::filesystem::rename(path(), path("moved"));
  ASSERT_TRUE(append_lines(file, "two\n"));
  EXPECT_EQ(content("moved"), "one\n");
  EXPECT_EQ(content(), "two\n");
}

TEST_F(AuditTest, TwoWritersLoseNothingOfEachOtherOverRotations) {
  constexpr int kLines = 500;
  const auto append = [this](const std::string& who) {
    AuditFile file({.path = path(), .max_bytes = 100, .keep = 1000});
    for (int i = 0; i < kLines; ++i) {
      EXPECT_TRUE(append_lines(file, who + " " + std::to_string(i) + "\n"));
    }
  };
  std::thread other([&] { append("other"); });
  append("one");
  other.join();
  std::multiset<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(path(""))) {
    const std::string text = *read_file(entry.path(), 1 << 20);
    EXPECT_LE(text.size(), 100U);
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos;) {
      seen.insert(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  EXPECT_EQ(seen.size(), 2U * kLines);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 2U * kLines);
}

TEST_F(AuditTest, FileThatTakesNoMoreSaysWhy) {
  AuditFile file({.path = "/dev/full", .sync = true});
  const Result<> appended = append_lines(file, "one\n");
  ASSERT_FALSE(appended);
  EXPECT_THAT(appended.error().message, HasSubstr("/dev/full: write: No space left on device"));
}

TEST_F(AuditTest, TrailThatCanNotBeginIsAnError) {
  const AuditFileOptions options{.path = path("missing/audit.log")};
  EXPECT_FALSE(AuditTrail::open(options, AuditTrail::OnFailure::Report, clock_));
}

TEST_F(AuditTest, WhatIsQueuedIsWrittenBeforeTheEnd) {
  {
    const auto trail = AuditTrail::open({.path = path()}, AuditTrail::OnFailure::Report, clock_);
    ASSERT_TRUE(trail);
    for (int i = 0; i < 1000; ++i) (*trail)->write(std::to_string(i));
  }
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(content(), expected);
}

TEST_F(AuditTest, FailureRefusesSessionsOnlyWhereThatIsWanted) {
  for (const auto on_failure : {AuditTrail::OnFailure::Report, AuditTrail::OnFailure::Refuse}) {
    std::filesystem::create_directory(path("sub"));
    const auto trail = AuditTrail::open({.path = path("sub/audit.log")}, on_failure, clock_);
    ASSERT_TRUE(trail);
    EXPECT_FALSE((*trail)->is_failing());
    std::filesystem::remove_all(path("sub"));
    (*trail)->write("kept");
    while (!(*trail)->is_failing()) std::this_thread::yield();
    EXPECT_EQ((*trail)->refuses_sessions(), on_failure == AuditTrail::OnFailure::Refuse);
    std::filesystem::create_directory(path("sub"));
    while ((*trail)->is_failing()) std::this_thread::yield();
    EXPECT_EQ(content("sub/audit.log"), "kept\n");
    EXPECT_EQ((*trail)->lost_lines(), 0U);
    std::filesystem::remove_all(path("sub"));
  }
}

TEST_F(AuditTest, WriteThatHangsIsAFailureUntilItIsDone) {
  const UniqueFd fifo = make_fifo();
  const auto trail = AuditTrail::open({.path = path()}, AuditTrail::OnFailure::Refuse, clock_);
  ASSERT_TRUE(trail);
  (*trail)->write(std::string(100'000, 'x'));
  await_full(fifo);
  EXPECT_FALSE((*trail)->refuses_sessions());
  clock_.passed = (AuditTrail::kPatience + nanoseconds(1)).count();
  EXPECT_TRUE((*trail)->refuses_sessions());
  EXPECT_GE(read_until_well(fifo, **trail).size(), 100'000U - (64 << 10));
  EXPECT_EQ((*trail)->lost_lines(), 0U);
}

TEST_F(AuditTest, LostLinesAreAFailureAndWhatWaitsIsBoundedInAll) {
  constexpr std::size_t kLineBytes = 1 << 20;
  const UniqueFd fifo = make_fifo();
  auto trail = AuditTrail::open({.path = path()}, AuditTrail::OnFailure::Refuse, clock_);
  ASSERT_TRUE(trail);
  (*trail)->write(std::string(kLineBytes - 1, 'x'));
  await_full(fifo);  // that line is being written
  for (std::size_t bytes = kLineBytes; bytes < AuditTrail::kMaxBytes; bytes += kLineBytes) {
    (*trail)->write(std::string(kLineBytes - 1, 'x'));
  }
  EXPECT_EQ((*trail)->lost_lines(), 0U);
  EXPECT_FALSE((*trail)->refuses_sessions());
  (*trail)->write("lost");
  EXPECT_EQ((*trail)->lost_lines(), 1U);
  EXPECT_TRUE((*trail)->refuses_sessions());
  read_until_well(fifo, **trail);
  EXPECT_FALSE((*trail)->refuses_sessions());
  end(fifo, *std::move(trail));
}

}  // namespace
}  // namespace sluice
