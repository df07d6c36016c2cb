#include "cli/copy/target_directory.h"

#include <fcntl.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "cli/terminal/blocking_io.h"
#include "testing/temporary_folder.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

constexpr timespec kThen{1'600'000'000, 0};
constexpr FileAttributes kAttributes{0640, kThen};

class TargetDirectoryTest : public ::testing::Test {
 protected:
  TargetDirectoryTest() {
    fs::create_directory(folder_ / "outside");
    target_.emplace(*TargetDirectory::open(folder_ / "target"));
  }

  Result<> write(std::string_view name, std::string_view content) {
    TRY(const UniqueFd file, target_->make_file(name));
    TRY_VOID(write_all(file.get(), as_bytes(content)));
    return TargetDirectory::finish_file(file.get(), kAttributes);
  }
  std::string read(const char* name) {
    return read_file(fs::path(folder_ / "target") / name, 1_KiB).value_or("none");
  }
  struct stat status_of(const char* name) {
    struct stat status{};
    ::lstat((fs::path(folder_ / "target") / name).c_str(), &status);
    return status;
  }

  testing::TemporaryFolder folder_;
  std::optional<TargetDirectory> target_;
};

TEST_F(TargetDirectoryTest, FilesHaveContentModeAndTime) {
  ASSERT_TRUE(write("./a/b/c", "text"));
  EXPECT_EQ(read("a/b/c"), "text");
  EXPECT_EQ(status_of("a/b/c").st_mode & 07777U, 0640U);
  EXPECT_EQ(status_of("a/b/c").st_mtim.tv_sec, kThen.tv_sec);
}

TEST_F(TargetDirectoryTest, DirectoriesGetTheirsInTheEnd) {
  ASSERT_TRUE(target_->make_directory("./", {0750, kThen}));
  ASSERT_TRUE(target_->make_directory("a", {0500, kThen}));
  ASSERT_TRUE(target_->make_directory("a/b", {0555, kThen}));
  ASSERT_TRUE(write("a/b/c", "text"));
  ASSERT_TRUE(target_->finish());
  for (const char* name : {"", "a", "a/b"}) {
    EXPECT_EQ(status_of(name).st_mtim.tv_sec, kThen.tv_sec) << name;
  }
  EXPECT_EQ(status_of("").st_mode & 07777U, 0750U);
  EXPECT_EQ(status_of("a").st_mode & 07777U, 0500U);
  EXPECT_EQ(status_of("a/b").st_mode & 07777U, 0555U);
  fs::permissions(folder_ / "target/a", fs::perms::owner_all);  // to be removed
  fs::permissions(folder_ / "target/a/b", fs::perms::owner_all);
}

TEST_F(TargetDirectoryTest, WhatIsThereIsReplacedButNoDirectory) {
  ASSERT_TRUE(write("a", "old"));
  ASSERT_TRUE(target_->make_hard_link("b", "a"));
  ASSERT_TRUE(write("a", "new"));
  EXPECT_EQ(read("a"), "new");
  EXPECT_EQ(read("b"), "old");
  ASSERT_TRUE(target_->make_directory("d", kAttributes));
  EXPECT_EQ(write("d", "x").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(target_->make_directory("a", kAttributes).error().code, ErrorCode::InvalidArgument);
}

TEST_F(TargetDirectoryTest, NamesThatLeaveItAreRefused) {
  const std::string absolute = folder_ / "outside/x";
  for (const std::string& name :
       {std::string("../x"), std::string("a/../../x"), std::string(".."), absolute}) {
    EXPECT_EQ(write(name, "x").error().code, ErrorCode::InvalidArgument) << name;
    EXPECT_EQ(target_->make_directory(name, kAttributes).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(target_->make_hard_link("l", name).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(target_->make_symbolic_link(name, "y", kThen).error().code,
              ErrorCode::InvalidArgument);
  }
  EXPECT_TRUE(fs::is_empty(folder_ / "outside"));
  EXPECT_FALSE(fs::exists(folder_ / "x"));
}

TEST_F(TargetDirectoryTest, NoSymbolicLinkIsFollowed) {
  fs::create_symlink(folder_ / "outside", folder_ / "target/link");
  EXPECT_EQ(write("link/x", "x").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(target_->make_directory("link", kAttributes).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(target_->make_hard_link("l", "link/x").error().code, ErrorCode::InvalidArgument);
  EXPECT_TRUE(fs::is_empty(folder_ / "outside"));
  // A file takes the link's place, not that of what it leads to.
  ASSERT_TRUE(write("link", "x"));
  EXPECT_EQ(read("link"), "x");
}

TEST_F(TargetDirectoryTest, SymbolicLinksInsideAreMade) {
  ASSERT_TRUE(write("a/b/c", "text"));
  ASSERT_TRUE(target_->make_symbolic_link("a/d/e", "../b/c", kThen));
  EXPECT_EQ(read("a/d/e"), "text");
  EXPECT_EQ(status_of("a/d/e").st_mtim.tv_sec, kThen.tv_sec);
  EXPECT_EQ(target_->make_symbolic_link("a/f", "../../outside", kThen).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_FALSE(fs::is_symlink(folder_ / "target/a/f"));
}

TEST_F(TargetDirectoryTest, HardLinksShareTheFile) {
  ASSERT_TRUE(write("a/b", "text"));
  ASSERT_TRUE(target_->make_hard_link("c/d", "a/b"));
  EXPECT_EQ(status_of("a/b").st_ino, status_of("c/d").st_ino);
}

TEST(StaysInside, AcceptsLeadingStepsUpToTheRoot) {
  EXPECT_TRUE(stays_inside(0, "a/b"));
  EXPECT_TRUE(stays_inside(0, "./a"));
  EXPECT_TRUE(stays_inside(2, "../../a"));
  EXPECT_TRUE(stays_inside(1, ".."));
  EXPECT_FALSE(stays_inside(0, ".."));
  EXPECT_FALSE(stays_inside(1, "../../a"));
  EXPECT_FALSE(stays_inside(0, "/etc"));
  EXPECT_FALSE(stays_inside(0, ""));
  EXPECT_FALSE(stays_inside(3, "link/.."));  // where `link` leads up, this leads further up
}

}  // namespace
}  // namespace sluice::cli
