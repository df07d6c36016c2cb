#include "backend/kubernetes/access/token_file.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "testing/virtual_clock.h"

namespace sluice::backend::kubernetes {
namespace {

class TokenFileTest : public ::testing::Test {
 protected:
  TokenFileTest()
      : path_((std::filesystem::temp_directory_path() /
               ("sluice-token-" + std::to_string(::getpid())))
                  .string()) {}
  ~TokenFileTest() override { std::filesystem::remove(path_); }

  void write(std::string_view text) { ASSERT_TRUE(write_file_atomically(path_, text, 0600)); }

  std::string path_;
  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  TokenFile token_{path_, clock_};
};

TEST_F(TokenFileTest, TokenIsReadAgainAfterAMinute) {
  write("first\n");
  EXPECT_EQ(token_.read(), "first");
  write("second\n");
  clock_.advance(TokenFile::kMaxAge - milliseconds(1));
  EXPECT_EQ(token_.read(), "first");
  clock_.advance(milliseconds(1));
  EXPECT_EQ(token_.read(), "second");
}

TEST_F(TokenFileTest, ForgottenTokenIsReadAgainAtOnce) {
  write("first");
  EXPECT_EQ(token_.read(), "first");
  write("second");
  token_.forget();
  EXPECT_EQ(token_.read(), "second");
}

TEST_F(TokenFileTest, LastTokenServesWhileTheFileIsGone) {
  write("first");
  EXPECT_EQ(token_.read(), "first");
  std::filesystem::remove(path_);
  token_.forget();
  EXPECT_EQ(token_.read(), "first");
  write("second");
  EXPECT_EQ(token_.read(), "second");
}

TEST_F(TokenFileTest, WithoutATokenItIsUnavailableAndThePathIsForTheLog) {
  EXPECT_EQ(token_.read().error().code, ErrorCode::Unavailable);
  write(" \n");
  const auto empty = token_.read();
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().message.find(path_), std::string::npos);
  EXPECT_NE(empty.error().cause.find(path_), std::string::npos);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
