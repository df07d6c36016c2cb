#include "cli/cluster/token_store.h"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "base/file.h"
#include "testing/temporary_folder.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

class TokenStoreTest : public ::testing::Test {
 protected:
  TokenStore store(const std::string& cluster) { return {folder_ / "config.yaml", cluster}; }

  testing::TemporaryFolder folder_;
};

TEST_F(TokenStoreTest, WhatIsWrittenIsRead) {
  const WallTime expiry = WallTime() + std::chrono::years(50);
  ASSERT_TRUE(store("lab").write({"a", "r", expiry}));
  const auto tokens = store("lab").read();
  ASSERT_TRUE(tokens && *tokens);
  EXPECT_EQ((*tokens)->access, "a");
  EXPECT_EQ((*tokens)->refresh, "r");
  EXPECT_EQ((*tokens)->expires_at, std::chrono::floor<seconds>(expiry));
}

TEST_F(TokenStoreTest, EachClusterHasItsOwnWhateverItsName) {
  ASSERT_TRUE(store("../a/b").write({"one", "", {}}));
  ASSERT_TRUE(store("a").write({"two", "", {}}));
  EXPECT_EQ((*store("../a/b").read())->access, "one");
  EXPECT_EQ((*store("a").read())->access, "two");
  struct stat status{};
  EXPECT_EQ(::stat((folder_ / "tokens/..%2Fa%2Fb.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(TokenStoreTest, NothingIsStoredForNoCluster) {
  EXPECT_FALSE(*store("").read());
  EXPECT_FALSE(*store("lab").read());
  EXPECT_FALSE(*store("lab").remove());
}

TEST_F(TokenStoreTest, WhatIsRemovedIsGone) {
  ASSERT_TRUE(store("lab").write({"a", "", {}}));
  EXPECT_TRUE(*store("lab").remove());
  EXPECT_FALSE(*store("lab").read());
}

TEST_F(TokenStoreTest, FileOfSomethingElseIsSaidToBeNone) {
  ASSERT_TRUE(store("lab").write({"a", "", {}}));
  for (const char* text : {"", "[]", "{\"accessToken\": 1}", "{"}) {
    ASSERT_TRUE(write_file_atomically(folder_ / "tokens/lab.json", text, 0600));
    const auto tokens = store("lab").read();
    ASSERT_FALSE(tokens) << text;
    EXPECT_THAT(tokens.error().message, HasSubstr("sluice login"));
  }
}

}  // namespace
}  // namespace sluice::cli
