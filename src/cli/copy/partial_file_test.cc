#include "cli/copy/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "cli/copy/archive_test_support.h"

namespace sluice::cli {
namespace {

using testing::content_of;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PartialFileTest : public ::testing::Test {
 protected:
  Result<std::string> receive(const std::string& content, std::optional<std::uint64_t> size) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd from(ends[0]);
    UniqueFd to(ends[1]);
    EXPECT_EQ(sluice::write_all(to.get(), content), 0);
    to.reset();
    return receive_file(from.get(), folder_ / "part", 0, size, stop_.get_token());
  }
  void expect_refusal(const std::string& path, const char* words) {
    const Result<std::string> file = follow_to_file(path);
    ASSERT_FALSE(file) << *file;
    EXPECT_EQ(file.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(file.error().message, HasSubstr(words));
  }

  testing::TemporaryFolder folder_;
  std::stop_source stop_;
};

TEST_F(PartialFileTest, AFileIsWhereItIs) {
  testing::open_to_write(folder_ / "file");
  EXPECT_EQ(follow_to_file(folder_ / "file"), folder_ / "file");
  EXPECT_EQ(follow_to_file(folder_ / "new"), folder_ / "new");
}

TEST_F(PartialFileTest, LinksAreFollowed) {
  fs::create_directory(folder_ / "inner");
  testing::open_to_write(folder_ / "inner/file");
  fs::create_symlink("file", folder_ / "inner/link");
  fs::create_symlink("inner/link", folder_ / "relative");
  fs::create_symlink(folder_ / "relative", folder_ / "absolute");
  EXPECT_EQ(fs::canonical(*follow_to_file(folder_ / "absolute")),
            fs::canonical(folder_ / "inner/file"));
}

TEST_F(PartialFileTest, ALinkToWhereNothingIsYetIsFollowed) {
  fs::create_symlink("new", folder_ / "link");
  EXPECT_EQ(follow_to_file(folder_ / "link"), folder_ / "new");
  fs::create_symlink("none/new", folder_ / "lost");
  expect_refusal(folder_ / "lost", "none/: no such directory");
}

TEST_F(PartialFileTest, LinksInACircleLeadNowhere) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  expect_refusal(folder_ / "a", "leads nowhere");
}

TEST_F(PartialFileTest, WhatIsNoFileIsRefused) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  fs::create_symlink("/dev/null", folder_ / "device");
  expect_refusal(folder_ / "pipe", "no file");
  expect_refusal(folder_ / "device", "no file");
  expect_refusal("/dev/null", "no file");
  expect_refusal(folder_.path(), "is a directory");
}

TEST_F(PartialFileTest, AnOpenDescriptorIsRefusedWhateverItIsOf) {
  const UniqueFd file = testing::open_to_write(folder_ / "file");
  expect_refusal("/dev/stdout", "no file");
  expect_refusal("/proc/self/fd/" + std::to_string(file.get()), "no file");
}

TEST_F(PartialFileTest, AMissingDirectoryIsNamed) {
  expect_refusal(folder_ / "none/file", "none/: no such directory");
}

TEST_F(PartialFileTest, WithoutASizeAllIsTaken) {
  ASSERT_TRUE(receive("text", std::nullopt));
  EXPECT_EQ(content_of(folder_ / "part"), "text");
}

TEST_F(PartialFileTest, WhatGrewIsCutAndWhatEndsEarlyIsAnError) {
  ASSERT_TRUE(receive("text and more", 4));
  EXPECT_EQ(content_of(folder_ / "part"), "text");
  EXPECT_EQ(receive("text", 5).error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace sluice::cli
