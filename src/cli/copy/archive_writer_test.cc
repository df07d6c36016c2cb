#include "cli/copy/archive_writer.h"

#include <array>
#include <csignal>

#include <gmock/gmock.h>

#include "cli/copy/archive_reader.h"
#include "cli/copy/archive_test_support.h"

namespace sluice::cli {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::open_to_read;
using testing::open_to_write;
using testing::status_of;
namespace fs = std::filesystem;

constexpr timespec kThen{1'600'000'000, 0};

class ArchiveWriterTest : public ::testing::Test {
 protected:
  ArchiveWriterTest() { fs::create_directory(source_); }

  void add(const std::string& name, const std::string& content, mode_t mode = 0640) {
    fs::create_directories((source_ / name).parent_path());
    ASSERT_TRUE(write_file_atomically(source_ / name, content, mode));
  }
  Result<WrittenArchive> pack() {
    const UniqueFd to = open_to_write(folder_ / "archive");
    return pack_archive(source_, to.get(), stop_.get_token());
  }
  Result<ReadArchive> unpack(const std::string& archive) {
    TRY(TargetDirectory target, TargetDirectory::open(folder_ / "target"));
    return unpack_archive(open_to_read(folder_ / archive).get(), target, stop_.get_token());
  }

  testing::TemporaryFolder folder_;
  fs::path source_ = folder_ / "source";
  fs::path target_ = folder_ / "target";
  std::stop_source stop_;
};

TEST_F(ArchiveWriterTest, FilesThatOnlySayTheyAreEmptyArePackedWhole) {
  source_ = "/proc/sys/kernel/random";
  ASSERT_TRUE(pack());
  ASSERT_TRUE(unpack("archive"));
  EXPECT_EQ(content_of(target_ / "poolsize"), content_of(source_ / "poolsize"));
  EXPECT_NE(content_of(target_ / "poolsize"), "");
}

TEST_F(ArchiveWriterTest, WhatIsPackedIsUnpacked) {
  const std::string deep = std::string(150, 'd') + "/" + std::string(150, 'e') + "/f";
  add("plain", "text", 0755);
  add(" a\nb ", "odd");
  add(deep, std::string(300'000, 'x'));
  add("empty", "");
  add("\xff\xfe", "no UTF-8");
  add("e\xcc\x81", "not normalized");
  fs::create_symlink("plain", source_ / "link");
  const std::array times{kThen, kThen};
  ::utimensat(AT_FDCWD, (source_ / "plain").c_str(), times.data(), 0);
  ::utimensat(AT_FDCWD, source_.c_str(), times.data(), 0);
  const auto written = pack();
  ASSERT_TRUE(written);
  EXPECT_TRUE(written->left_out.empty());
  const auto read = unpack("archive");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->refused.empty());
  EXPECT_EQ(read->sha256, written->sha256);
  for (const std::string& name :
       {std::string("plain"), std::string(" a\nb "), deep, std::string("empty"),
        std::string("\xff\xfe"), std::string("e\xcc\x81"), std::string("link")}) {
    EXPECT_EQ(content_of(target_ / name), content_of(source_ / name)) << name;
  }
  EXPECT_EQ(status_of(target_ / "plain").st_mode, status_of(source_ / "plain").st_mode);
  EXPECT_EQ(status_of(target_ / "plain").st_mtim.tv_sec, kThen.tv_sec);
  EXPECT_EQ(status_of(target_).st_mtim.tv_sec, kThen.tv_sec);
  EXPECT_TRUE(fs::is_symlink(target_ / "link"));
}

TEST_F(ArchiveWriterTest, AnEmptyDirectoryIsAnArchive) {
  ASSERT_TRUE(pack());
  ASSERT_TRUE(unpack("archive"));
  EXPECT_TRUE(fs::is_empty(target_));
}

TEST_F(ArchiveWriterTest, WhatIsNoFileIsLeftOut) {
  add("file", "x");
  ASSERT_EQ(::mkfifo((source_ / "pipe").c_str(), 0600), 0);
  const auto written = pack();
  ASSERT_TRUE(written);
  EXPECT_THAT(written->left_out.kept(), ElementsAre(HasSubstr("./pipe")));
  ASSERT_TRUE(unpack("archive"));
  EXPECT_EQ(content_of(target_ / "file"), "x");
}

TEST_F(ArchiveWriterTest, WhatCannotBeReadIsAnError) {
  fs::remove(source_);
  EXPECT_EQ(pack().error().code, ErrorCode::InvalidArgument);
}

TEST_F(ArchiveWriterTest, NobodyWhoReadsIsUnavailable) {
  ::signal(SIGPIPE, SIG_IGN);
  add("file", std::string(300'000, 'x'));
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ::close(ends[0]);
  const UniqueFd to(ends[1]);
  const auto written = pack_archive(source_, to.get(), stop_.get_token());
  EXPECT_EQ(written.error().code, ErrorCode::Unavailable);
}

TEST_F(ArchiveWriterTest, StopsWhenAsked) {
  add("file", "x");
  stop_.request_stop();
  EXPECT_EQ(pack().error().code, ErrorCode::Cancelled);
}

TEST_F(ArchiveWriterTest, WhereverItIsCutNoHalfOfAFileIsLeft) {
  add("a", std::string(1500, 'a'));
  add("b", std::string(700, 'b'));
  ASSERT_TRUE(pack());
  const std::string whole = content_of(folder_ / "archive");
  for (std::size_t size = 0; size < whole.size(); size += 100) {
    ASSERT_TRUE(write_file_atomically(folder_ / "cut", whole.substr(0, size), 0600));
    const auto read = unpack("cut");
    EXPECT_TRUE(read || read.error().code == ErrorCode::Unavailable);
    for (const char* name : {"a", "b"}) {
      if (!fs::exists(target_ / name)) continue;
      EXPECT_EQ(content_of(target_ / name), content_of(source_ / name)) << size;
    }
    fs::remove_all(target_);
  }
}

}  // namespace
}  // namespace sluice::cli
