#include "cli/copy/copy_location.h"

#include <gmock/gmock.h>

namespace sluice::cli {
namespace {

TEST(CopyLocation, NamesAWorkloadBeforeTheColon) {
  EXPECT_EQ(parse_copy_location("w:/a:b"), (CopyLocation{"w", "/a:b"}));
  EXPECT_EQ(parse_copy_location("w:a/b"), (CopyLocation{"w", "./a/b"}));
  EXPECT_EQ(parse_copy_location("w:-x"), (CopyLocation{"w", "./-x"}));
  EXPECT_EQ(parse_copy_location("w:"), (CopyLocation{"w", "./"}));
}

TEST(CopyLocation, ColonBehindASlashIsAPartOfThePath) {
  EXPECT_EQ(parse_copy_location("./a:b"), (CopyLocation{"", "./a:b"}));
  EXPECT_EQ(parse_copy_location("/a:b"), (CopyLocation{"", "/a:b"}));
  EXPECT_EQ(parse_copy_location("a/b:c"), (CopyLocation{"", "a/b:c"}));
  EXPECT_EQ(parse_copy_location("a b\n"), (CopyLocation{"", "a b\n"}));
}

TEST(CopyLocation, NeedsAName) {
  EXPECT_EQ(parse_copy_location("").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(parse_copy_location(":/a").error().code, ErrorCode::InvalidArgument);
}

TEST(CopyLocation, BaseNameIsTheLastPart) {
  EXPECT_EQ(base_name("a/b/"), "b");
  EXPECT_EQ(base_name("./-x"), "-x");
  EXPECT_EQ(base_name("b"), "b");
  for (const char* nameless : {"/", ".", "..", "a/..", "./", "a/."}) {
    EXPECT_EQ(base_name(nameless), "") << nameless;
  }
}

TEST(CopyLocation, PathsAreTakenApartAndJoined) {
  EXPECT_EQ(directory_part("a/b"), "a/");
  EXPECT_EQ(directory_part("b"), "");
  EXPECT_EQ(join_path("/", "b"), "/b");
  EXPECT_EQ(join_path("a", "b"), "a/b");
}

TEST(CopyLocation, PartialNamesFitAndSayOfWhatTheyAre) {
  const std::string partial = partial_name("model.bin", "12.34");
  EXPECT_EQ(partial, ".model.bin.12.34.sluice-partial");
  EXPECT_EQ(identity_in(partial, "model.bin"), "12.34");
  EXPECT_EQ(identity_in(partial, "model"), "bin.12.34");
  EXPECT_EQ(identity_in(partial, "other"), "");
  EXPECT_EQ(identity_in(".model.bin.sluice-partial", "model.bin"), "");
  EXPECT_LE(partial_name(std::string(255, 'x'), std::string(60, '1')).size(), 255U);
}

}  // namespace
}  // namespace sluice::cli
