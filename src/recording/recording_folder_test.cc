#include "recording/recording_folder.h"

#include <sys/stat.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "testing/temporary_folder.h"

namespace sluice::recording {
namespace {

using ::testing::HasSubstr;

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

TEST(RecordingFolder, FolderAndFilesAreTheirOwnersAlone) {
  const testing::TemporaryFolder folder;
  const auto opened = RecordingFolder::open(folder / "a/casts");
  ASSERT_TRUE(opened);
  const auto file = (*opened)->create("one.cast");
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append("line\n"));
  ASSERT_TRUE((*file)->append("line\n"));
  EXPECT_EQ(read_file(folder / "a/casts/one.cast", 100), "line\nline\n");
  EXPECT_EQ(mode_of(folder / "a/casts"), 0700U);
  EXPECT_EQ(mode_of(folder / "a/casts/one.cast"), 0600U);
}

TEST(RecordingFolder, OpeningLeavesNothingBehind) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(RecordingFolder::open(folder.path()));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RecordingFolder, OneThatCanNotBeMadeOrWrittenSaysWhy) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "file", "", 0600));
  const auto opened = RecordingFolder::open(folder / "file/casts");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("file/casts: cannot be"));
}

TEST(RecordingFolder, NothingThatIsThereIsWrittenOver) {
  const testing::TemporaryFolder folder;
  const auto opened = RecordingFolder::open(folder.path());
  std::filesystem::create_symlink("elsewhere", folder / "link.cast");
  EXPECT_FALSE((*opened)->create("link.cast"));
  ASSERT_TRUE((*opened)->create("one.cast"));
  const auto again = (*opened)->create("one.cast");
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().cause, HasSubstr("File exists"));
}

TEST(RecordingFolder, ARemovedFileIsGone) {
  const testing::TemporaryFolder folder;
  const auto opened = RecordingFolder::open(folder.path());
  const auto file = (*opened)->create("one.cast");
  (*file)->remove();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace sluice::recording
