#include "observe/audit_trail.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "base/file.h"
#include "testing/temporary_folder.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

class AuditTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "audit.log") const { return folder_ / name; }
  std::string content(const std::string& name = "audit.log") const {
    return read_file(path(name), 1 << 20).value_or("missing");
  }

  testing::TemporaryFolder folder_;
};

TEST_F(AuditTest, LinesAreAppendedForTheirOwnerAlone) {
  ASSERT_TRUE(write_file_atomically(path(), "before\n", 0600));
  AuditFile file({.path = path()});
  ASSERT_TRUE(file.append("one\n"));
  ASSERT_TRUE(file.append("two\nthree\n"));
  EXPECT_EQ(content(), "before\none\ntwo\nthree\n");
  AuditFile other({.path = path("new")});
  ASSERT_TRUE(other.append("x\n"));
  struct stat status{};
  ASSERT_EQ(::stat(path("new").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(AuditTest, FullFileIsRotatedAndTheOldestGoes) {
  AuditFile file({.path = path(), .max_bytes = 8, .keep = 2});
  for (const char* line : {"one 1\n", "two 2\n", "three\n", "four.\n"}) {
    ASSERT_TRUE(file.append(line));
  }
  EXPECT_EQ(content(), "four.\n");
  EXPECT_EQ(content("audit.log.1"), "three\n");
  EXPECT_EQ(content("audit.log.2"), "two 2\n");
  EXPECT_EQ(content("audit.log.3"), "missing");
}

TEST_F(AuditTest, LinesThatAreLargerThanAFileAreWrittenWhole) {
  AuditFile file({.path = path(), .max_bytes = 4, .keep = 1});
  ASSERT_TRUE(file.append("longer than that\n"));
  EXPECT_EQ(content(), "longer than that\n");
}

TEST_F(AuditTest, FileThatWasMovedAwayIsMadeAnew) {
  AuditFile file({.path = path()});
  ASSERT_TRUE(file.append("one\n"));
  std::filesystem::rename(path(), path("moved"));
  ASSERT_TRUE(file.append("two\n"));
  EXPECT_EQ(content("moved"), "one\n");
  EXPECT_EQ(content(), "two\n");
}

TEST_F(AuditTest, TwoWritersLoseNothingOfEachOtherOverRotations) {
  constexpr int kLines = 500;
  constexpr std::size_t kLongestLine = 10;
  const auto append = [this](const std::string& who) {
    AuditFile file({.path = path(), .max_bytes = 100, .keep = 1000});
    for (int i = 0; i < kLines; ++i) {
      EXPECT_TRUE(file.append(who + " " + std::to_string(i) + "\n"));
    }
  };
  std::thread other([&] { append("other"); });
  append("one");
  other.join();
  std::multiset<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(path(""))) {
    const std::string text = *read_file(entry.path(), 1 << 20);
    EXPECT_LE(text.size(), 100 + kLongestLine);  // the other one may write after it was measured
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
  const Result<> appended = file.append("one\n");
  ASSERT_FALSE(appended);
  EXPECT_THAT(appended.error().message, HasSubstr("/dev/full: write: No space left on device"));
}

TEST_F(AuditTest, TrailThatCanNotBeginIsAnError) {
  const AuditFileOptions options{.path = path("missing/audit.log")};
  EXPECT_FALSE(AuditTrail::open(options, AuditTrail::OnFailure::Report));
}

TEST_F(AuditTest, WhatIsQueuedIsWrittenBeforeTheEnd) {
  {
    const auto trail = AuditTrail::open({.path = path()}, AuditTrail::OnFailure::Report);
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
    const auto trail = AuditTrail::open({.path = path("sub/audit.log")}, on_failure);
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

}  // namespace
}  // namespace sluice
