#include "base/file.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/random.h"

namespace sluice {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
  void TearDown() override {
    unlink(path("file").c_str());
    rmdir(directory_.c_str());
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

 private:
  std::string directory_ = testing::TempDir() + "file_test.XXXXXX";
};

TEST_F(FileTest, WrittenIsReadBackWithMode) {
  ASSERT_TRUE(write_file_atomically(path("file"), "secret", 0600));

  EXPECT_EQ(read_file(path("file"), 6), "secret");
  struct stat status{};
  ASSERT_EQ(stat(path("file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(FileTest, RewriteReplacesTheWhole) {
  ASSERT_TRUE(write_file_atomically(path("file"), "a longer text", 0644));
  ASSERT_TRUE(write_file_atomically(path("file"), "short", 0644));
  EXPECT_EQ(read_file(path("file"), 100), "short");
}

TEST_F(FileTest, LargerThanLimitIsTooLarge) {
  ASSERT_TRUE(write_file_atomically(path("file"), std::string(100'000, 'x'), 0600));
  const auto result = read_file(path("file"), 99'999);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::TooLarge);
  EXPECT_EQ(result.error().message, "larger than 99999 bytes");
}

TEST_F(FileTest, AbsentIsNotFoundAndDirectoryIsUnavailable) {
  const auto absent = read_file(path("absent"), 10);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::NotFound);
  EXPECT_EQ(absent.error().message, "No such file or directory");
  const auto directory = read_file(path("."), 10);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().code, ErrorCode::Unavailable);
}

TEST_F(FileTest, FailedWriteLeavesNothing) {
  EXPECT_FALSE(write_file_atomically(path("absent/file"), "x", 0600));
  EXPECT_FALSE(write_file_atomically(path("."), "x", 0600));
}

TEST(OsRandomTest, FillsEachTimeAnew) {
  OsRandom random;
  std::byte first[32]{}, second[32]{};
  random.fill(first);
  random.fill(second);
  EXPECT_NE(as_text(first), as_text(second));
}

}  // namespace
}  // namespace sluice
