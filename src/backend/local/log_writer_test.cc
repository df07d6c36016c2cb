#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include <gmock/gmock.h>

#include "backend/local/container_log.h"
#include "backend/local/log_test_support.h"
#include "base/file.h"
#include "testing/temporary_folder.h"

namespace sluice::backend::local {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kStamp = "2026-01-01T00:00:00.000000000Z";

std::string cri(const std::string& stream_and_tag, const std::string& text) {
  return std::string(kStamp) + " " + stream_and_tag + " " + text + "\n";
}

class LogWriterTest : public ::testing::Test {
 protected:
  std::string directory() const { return temporary_.path() + "/pod/main"; }
  std::string stored(const std::string& name) const {
    return read_file(directory() + "/" + name, 64_MiB).value_or("(no such file)");
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory())) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  static void write(ContainerLog& log, std::string_view text,
                    OutputChannel channel = OutputChannel::Stdout) {
    log.write(channel, as_bytes(text));
  }

  testing::TemporaryFolder temporary_;
  SetClock clock_;
};

TEST_F(LogWriterTest, LinesAreStoredInTheCriFormat) {
  const auto log = ContainerLog::create(directory(), clock_);
  log->begin_run(0);
  write(*log, "one\n\ntwo\n");
  write(*log, "bad\n", OutputChannel::Stderr);
  EXPECT_EQ(stored("0.log"), cri("stdout F", "one") + cri("stdout F", "") + cri("stdout F", "two") +
                                 cri("stderr F", "bad"));
}

TEST_F(LogWriterTest, TheBeginningOfALineWaitsForTheRestOfItsChannel) {
  const auto log = ContainerLog::create(directory(), clock_);
  log->begin_run(0);
  write(*log, "he");
  write(*log, "oh", OutputChannel::Stderr);
  write(*log, "llo\n");
  EXPECT_EQ(stored("0.log"), cri("stdout F", "hello"));
  log->end_run();
  EXPECT_EQ(stored("0.log"), cri("stdout F", "hello") + cri("stderr P", "oh"));
}

TEST_F(LogWriterTest, LongLinesAreStoredInParts) {
  const auto log = ContainerLog::create(directory(), clock_);
  log->begin_run(0);
  const std::string part(LogWriter::kPartBytes, 'x');
  write(*log, part + part.substr(1));
  write(*log, "yz\n" + part + "\n");
  EXPECT_EQ(stored("0.log"), cri("stdout P", part) + cri("stdout P", part.substr(1) + "y") +
                                 cri("stdout F", "z") + cri("stdout F", part));
}

TEST_F(LogWriterTest, StampsNeverGoBack) {
  const auto log = ContainerLog::create(directory(), clock_);
  log->begin_run(0);
  write(*log, "a\n");
  clock_.wall -= seconds(60);
  write(*log, "b\n");
  EXPECT_EQ(stored("0.log"), cri("stdout F", "a") + cri("stdout F", "b"));
}

TEST_F(LogWriterTest, FilesRotateAndTheOldestGo) {
  LogSettings settings;
  settings.rotate_bytes = 100;
  settings.files = 3;
  const auto log = ContainerLog::create(directory(), clock_, settings);
  log->begin_run(7);
  for (const char* line : {"1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n"}) {
    write(*log, line);
    clock_.wall += seconds(1);
  }
  ASSERT_EQ(files().size(), 3U);
  EXPECT_EQ(files()[0], "7.log");
  EXPECT_THAT(files()[1], HasSubstr("7.log.20260101-000004."));
  EXPECT_THAT(stored(files()[1]), AllOf(HasSubstr("F 3\n"), HasSubstr("F 4\n")));
  EXPECT_THAT(stored("7.log"), HasSubstr("F 7\n"));
}

/// One record to a file, one file, and nothing deleted is kept for readers.
LogSettings least() {
  LogSettings settings;
  settings.rotate_bytes = 50;
  settings.files = 1;
  settings.deleted_bytes = 0;
  return settings;
}

TEST_F(LogWriterTest, ADeletedFileThatNobodyReadsIsNotLostToAReader) {
  const auto log = ContainerLog::create(directory(), clock_, least());
  log->begin_run(0);
  write(*log, "1\n");
  const UniqueFd oldest(::dup((*log->current_run())->fd.get()));
  write(*log, "2\n");
  struct stat found{};
  ASSERT_EQ(::fstat(oldest.get(), &found), 0);
  EXPECT_EQ(found.st_size, 42);
}

ContainerLog* opened_log = nullptr;
int opened_too_late = 0;

/// A LogSettings::pwrite: what a client finds who opens the log meanwhile.
ssize_t write_while_opened(int fd, const void* data, std::size_t size, off_t offset) {
  if ((*opened_log->current_run())->lost.load()) ++opened_too_late;
  return ::pwrite(fd, data, size, offset);
}

TEST_F(LogWriterTest, WhoOpensTheLogWhileItRotatesFindsWhatIsKept) {
  LogSettings settings = least();
  settings.pwrite = write_while_opened;
  const auto log = ContainerLog::create(directory(), clock_, settings);
  opened_log = log.get();
  log->begin_run(0);
  write(*log, "1\n2\n3\n4\n");
  EXPECT_EQ(opened_too_late, 0);
}

TEST_F(LogWriterTest, OnlyTheLastRunBeforeIsKept) {
  const auto log = ContainerLog::create(directory(), clock_);
  for (const int restart : {0, 1, 2}) {
    log->begin_run(restart);
    write(*log, "x\n");
    log->end_run();
  }
  EXPECT_THAT(files(), ElementsAre("1.log", "2.log"));
}

TEST_F(LogWriterTest, TheFilesOfADeletedPodAreRemoved) {
  auto log = ContainerLog::create(directory(), clock_);
  log->begin_run(0);
  write(*log, "x\n");
  log->pod_deleted();
  log->end_run();
  log.reset();
  EXPECT_FALSE(std::filesystem::exists(temporary_.path() + "/pod"));
}

TEST_F(LogWriterTest, AFullDiskLosesWholeLinesAndSaysSo) {
  LogSettings settings;
  settings.pwrite = write_to_small_disk;
  const auto log = ContainerLog::create(directory(), clock_, settings);
  log->begin_run(0);
  disk_space = 60;  // one record of 42 bytes and a piece of the next
  write(*log, "1\n2\n");
  EXPECT_TRUE(log->is_degraded());
  EXPECT_EQ(log->lost_bytes(), 42U);
  write(*log, "3\n");
  EXPECT_EQ(log->lost_bytes(), 84U);
  EXPECT_EQ(stored("0.log"), cri("stdout F", "1"));

  disk_space = 1'000;
  write(*log, "4\n");
  EXPECT_FALSE(log->is_degraded());
  EXPECT_EQ(
      stored("0.log"),
      cri("stdout F", "1") +
          cri("stderr F", "sluiced: 84 bytes of this log were lost: No space left on device") +
          cri("stdout F", "4"));
}

TEST_F(LogWriterTest, ADirectoryThatCantBeMadeIsADiskThatRefuses) {
  ASSERT_TRUE(write_file_atomically(temporary_.path() + "/pod", "a file", 0600));
  const auto log = ContainerLog::create(directory(), clock_);
  log->begin_run(0);
  write(*log, "1\n");
  EXPECT_TRUE(log->is_degraded());
  std::filesystem::remove(temporary_.path() + "/pod");
  std::filesystem::create_directories(directory());
  write(*log, "2\n");
  EXPECT_FALSE(log->is_degraded());
  EXPECT_THAT(stored("0.log"), HasSubstr("stdout F 2\n"));
}

}  // namespace
}  // namespace sluice::backend::local
