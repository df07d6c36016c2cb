#include "auth/development_issuer.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "auth/jwt_verifier.h"
#include "base/file.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::auth {
namespace {

class DevelopmentIssuerTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string state_dir() const { return directory_ + "/state"; }
  std::string key_file() const { return state_dir() + "/development-key.pem"; }
  AuthConfig config() const { return AuthConfig{{}, {true, state_dir()}}; }

  Caller alice(nanoseconds ttl) const { return {"alice", {"ml", "ops"}, clock_.wall_now() + ttl}; }

  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  testing::SeededRandom random_;

 private:
  std::string directory_ = ::testing::TempDir() + "development_issuer.XXXXXX";
};

TEST_F(DevelopmentIssuerTest, WhatItSignsTheVerifierTakes) {
  auto verifier = make_token_verifier(config(), {&loop_}, clock_, nullptr);
  ASSERT_TRUE(verifier) << verifier.error().message;
  const auto issuer = DevelopmentIssuer::open(state_dir());
  ASSERT_TRUE(issuer) << issuer.error().message;
  const auto token = issuer->sign(alice(seconds(60)), clock_.wall_now(), random_);
  ASSERT_TRUE(token) << token.error().message;

  const auto caller = testing::run(loop_, (*verifier)->verify(*token));

  ASSERT_TRUE(caller) << caller.error().message;
  EXPECT_EQ(caller->user, "alice");
  EXPECT_EQ(caller->groups, (std::vector<std::string>{"ml", "ops"}));
  EXPECT_EQ(caller->expires_at, clock_.wall_now() + seconds(60));
}

TEST_F(DevelopmentIssuerTest, ExpiredTokenIsRefusedAlsoWhenItWasVerifiedBefore) {
  auto verifier = make_token_verifier(config(), {&loop_}, clock_, nullptr);
  ASSERT_TRUE(verifier) << verifier.error().message;
  const auto issuer = DevelopmentIssuer::open(state_dir());
  const auto token = issuer->sign(alice(seconds(60)), clock_.wall_now(), random_);
  ASSERT_TRUE(testing::run(loop_, (*verifier)->verify(*token)));

  clock_.advance(seconds(60));

  const auto caller = testing::run(loop_, (*verifier)->verify(*token));
  ASSERT_FALSE(caller);
  EXPECT_EQ(caller.error().code, ErrorCode::Unauthenticated);
  EXPECT_EQ(caller.error().message, "token expired");
}

TEST_F(DevelopmentIssuerTest, KeyIsMadeOnceAndForItsOwnerOnly) {
  const auto first = DevelopmentIssuer::open(state_dir());
  const auto second = DevelopmentIssuer::open(state_dir());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->jwk_set(), second->jwk_set());
  struct stat status{};
  ASSERT_EQ(stat(key_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(DevelopmentIssuerTest, KeyThatOthersCanReadIsRefused) {
  ASSERT_TRUE(DevelopmentIssuer::open(state_dir()));
  for (const mode_t mode : {0640U, 0604U, 0620U, 0644U, 0666U}) {
    ASSERT_EQ(chmod(key_file().c_str(), mode), 0);
    const auto issuer = DevelopmentIssuer::open(state_dir());
    ASSERT_FALSE(issuer);
    EXPECT_EQ(issuer.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(issuer.error().message.find("chmod 600"), std::string::npos)
        << issuer.error().message;
    EXPECT_FALSE(DevelopmentIssuer::check(state_dir()));
  }
}

TEST_F(DevelopmentIssuerTest, BrokenKeyIsRefusedAndKept) {
  std::filesystem::create_directories(state_dir());
  ASSERT_TRUE(write_file_atomically(key_file(), "no key", 0600));
  EXPECT_FALSE(DevelopmentIssuer::open(state_dir()));
  EXPECT_EQ(read_file(key_file(), 100), "no key");
}

TEST_F(DevelopmentIssuerTest, CheckMakesNothing) {
  EXPECT_TRUE(DevelopmentIssuer::check(state_dir()));
  EXPECT_FALSE(std::filesystem::exists(state_dir()));
}

TEST_F(DevelopmentIssuerTest, UnwritableStateDirectoryIsNamed) {
  ASSERT_TRUE(write_file_atomically(state_dir(), "a file where the directory should be", 0600));
  const auto issuer = DevelopmentIssuer::open(state_dir());
  ASSERT_FALSE(issuer);
  EXPECT_NE(issuer.error().message.find(state_dir()), std::string::npos);
}

}  // namespace
}  // namespace sluice::auth
