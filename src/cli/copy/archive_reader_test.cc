#include "cli/copy/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <functional>

#include <gmock/gmock.h>

#include "cli/copy/archive_test_support.h"

namespace sluice::cli {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::open_to_read;
using testing::open_to_write;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

struct Entry {
  std::string name;
  unsigned type = AE_IFREG;
  std::string link;
  std::string content = "x";
};

/// Writes what no tar of good will would.
class ArchiveReaderTest : public ::testing::Test {
 protected:
  ArchiveReaderTest() {
    fs::create_directory(outside_);
    EXPECT_TRUE(write_file_atomically(outside_ / "secret", "secret", 0600));
  }

  void write(const std::vector<Entry>& entries, int (*set_format)(archive*)) {
    const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(),
                                                                         &archive_write_free);
    set_format(writer.get());
    const UniqueFd to = open_to_write(folder_ / "archive");
    archive_write_open_fd(writer.get(), to.get());
    for (const Entry& one : entries) {
      const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(
          archive_entry_new(), &archive_entry_free);
      archive_entry_copy_pathname(entry.get(), one.name.c_str());
      archive_entry_set_filetype(entry.get(), one.type);
      archive_entry_set_perm(entry.get(), 0644);
      if (one.type == AE_IFLNK) {
        archive_entry_copy_symlink(entry.get(), one.link.c_str());
      } else if (!one.link.empty()) {
        archive_entry_copy_hardlink(entry.get(), one.link.c_str());
      } else if (one.type == AE_IFREG) {
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(one.content.size()));
      }
      archive_write_header(writer.get(), entry.get());
      archive_write_data(writer.get(), one.content.data(), one.content.size());
    }
    archive_write_close(writer.get());
  }

  Result<ReadArchive> unpack() {
    TRY(TargetDirectory target, TargetDirectory::open(target_));
    return unpack_archive(open_to_read(folder_ / "archive").get(), target, {});
  }

  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(target_)) {
      if (entry.symlink_status().type() != fs::file_type::directory)
        found.push_back(entry.path().lexically_relative(target_));
    }
    return found;
  }

  testing::TemporaryFolder folder_;
  fs::path outside_ = folder_ / "outside";
  fs::path target_ = folder_ / "target";
};

TEST_F(ArchiveReaderTest, NothingLeavesTheTarget) {
  const std::string absolute = outside_ / "absolute";
  write({{"good"},
         {"../outside/x"},
         {"a/../../outside/x"},
         {absolute},
         {"out", AE_IFLNK, "../outside"},
         {"out/x"},
         {"absolute-link", AE_IFLNK, outside_},
         {"dir", AE_IFDIR},
         {"to-dir", AE_IFLNK, "dir"},
         {"to-dir/x"},
         {"up", AE_IFLNK, "dir/.."},
         {"hard", AE_IFREG, "../outside/secret"},
         {"pipe", AE_IFIFO},
         {"device", AE_IFCHR},
         {"block", AE_IFBLK},
         {"last"}},
        &archive_write_set_format_gnutar);
  const auto read = unpack();
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(files(), UnorderedElementsAre("good", "out/x", "to-dir", "last"));
  EXPECT_EQ(read->refused.count(), 11U);
  EXPECT_EQ(std::distance(fs::directory_iterator(outside_), {}), 1);
}

TEST_F(ArchiveReaderTest, WhatIsToldOfRefusedNamesDrivesNoTerminal) {
  write({{"../\x1b[2J\n"}}, &archive_write_set_format_gnutar);
  const auto read = unpack();
  ASSERT_TRUE(read);
  EXPECT_THAT(read->refused.kept(), ElementsAre(HasSubstr("../?[2J?:")));
}

TEST_F(ArchiveReaderTest, PaxNamesAreTheirBytes) {
  const std::string name = std::string(120, 'l') + "\xc3\xa9";
  write({{name}}, &archive_write_set_format_pax);
  ASSERT_TRUE(unpack());
  EXPECT_THAT(files(), UnorderedElementsAre(name));
}

TEST_F(ArchiveReaderTest, HardLinksBecomeHardLinks) {
  write({{"a"}, {"d/b", AE_IFREG, "a"}}, &archive_write_set_format_gnutar);
  ASSERT_TRUE(unpack());
  EXPECT_EQ(fs::hard_link_count(target_ / "a"), 2U);
  EXPECT_EQ(content_of(target_ / "d/b"), "x");
}

TEST_F(ArchiveReaderTest, ALaterEntryReplacesAnEarlierOne) {
  write({{"a", AE_IFREG, {}, "old"}, {"a", AE_IFREG, {}, "new"}}, &archive_write_set_format_gnutar);
  ASSERT_TRUE(unpack());
  EXPECT_EQ(content_of(target_ / "a"), "new");
}

TEST_F(ArchiveReaderTest, WhatIsNoArchiveIsAnError) {
  ASSERT_TRUE(write_file_atomically(folder_ / "archive", std::string(3000, 'x'), 0600));
  const auto read = unpack();
  EXPECT_EQ(read.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(read.error().message, HasSubstr("archive"));
}

}  // namespace
}  // namespace sluice::cli
