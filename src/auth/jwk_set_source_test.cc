#include "auth/jwk_set_source.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "auth/fake_fetch.h"
#include "auth/test_key.h"
#include "base/file.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::auth {
namespace {

using Need = JwkSetSource::Need;

constexpr const char* kIssuer = "https://issuer/realm";
constexpr const char* kDiscovery = "https://issuer/realm/.well-known/openid-configuration";
constexpr const char* kKeys = "https://issuer/keys";
const nanoseconds kRefresh = seconds(600);

std::string key_set(std::string_view kid) {
  return jwk_set_of(TestKey::of(KeyType::P256).jwk("\"kid\":\"" + std::string(kid) + "\""));
}

std::string discovery(std::string_view issuer, std::string_view keys = kKeys) {
  return "{\"issuer\":\"" + std::string(issuer) + "\",\"jwks_uri\":\"" + std::string(keys) + "\"}";
}

class JwkSetSourceTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (source_) testing::run(loop_, source_->stop());
  }

  void start(IssuerConfig config) {
    source_.emplace(
        config, kRefresh, loop_.executor(), clock_, web_.fetch(),
        [this](std::shared_ptr<const JwkSet> keys) { published_.push_back(std::move(keys)); });
    source_->start();
    testing::run_until_idle(loop_);
  }
  void start_with_uri() { start({kIssuer, {}, {}, kKeys, {}}); }
  void start_with_discovery() { start({kIssuer, {}, {}, {}, {}}); }
  void start_with_file() { start({kIssuer, {}, file(), {}, {}}); }

  /// How many questions were answered is counted.
  void ask(Need need) {
    source_->ask(need, [this] { ++answers_; });
    testing::run_until_idle(loop_);
  }
  bool in_force(std::string_view kid) const {
    return !published_.empty() && published_.back()->has_key(kid);
  }
  std::string file() const { return directory_ + "/keys.json"; }
  void make_directory() { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }

  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  FakeFetch web_{loop_};
  std::optional<JwkSetSource> source_;
  std::vector<std::shared_ptr<const JwkSet>> published_;
  int answers_ = 0;

 private:
  std::string directory_ = ::testing::TempDir() + "jwk_set_source.XXXXXX";
};

TEST_F(JwkSetSourceTest, UrlIsFetchedAtStartAndEveryRefresh) {
  web_.serve(kKeys, key_set("a"));
  start_with_uri();
  EXPECT_EQ(web_.count(), 1U);
  EXPECT_TRUE(in_force("a"));

  web_.serve(kKeys, key_set("b"));
  clock_.advance(kRefresh - seconds(1));
  EXPECT_EQ(web_.count(), 1U);
  clock_.advance(seconds(1));
  EXPECT_EQ(web_.count(), 2U);
  EXPECT_TRUE(in_force("b"));
}

TEST_F(JwkSetSourceTest, TheSameKeysAreNotPublishedAgain) {
  web_.serve(kKeys, key_set("a"));
  start_with_uri();
  clock_.advance(3 * kRefresh);
  EXPECT_EQ(web_.count(), 4U);
  EXPECT_EQ(published_.size(), 1U);
}

TEST_F(JwkSetSourceTest, FailuresAreRetriedAfterOneSecondDoublingToThirty) {
  start_with_uri();
  std::vector<std::int64_t> gaps;
  std::int64_t since = 0;
  for (std::size_t seen = web_.count(); gaps.size() < 8;) {
    clock_.advance(seconds(1));
    ++since;
    if (web_.count() == seen) continue;
    seen = web_.count();
    gaps.push_back(std::exchange(since, 0));
  }
  EXPECT_EQ(gaps, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 30, 30, 30}));
}

TEST_F(JwkSetSourceTest, SuccessEndsTheBackoff) {
  start_with_uri();
  clock_.advance(seconds(7));
  web_.serve(kKeys, key_set("a"));
  clock_.advance(seconds(8));
  EXPECT_TRUE(in_force("a"));
  const std::size_t before = web_.count();
  clock_.advance(kRefresh - seconds(1));
  EXPECT_EQ(web_.count(), before);
  web_.remove(kKeys);
  clock_.advance(seconds(10));
  EXPECT_EQ(web_.count(), before + 4);  // the refresh, then retries after 1, 2 and 4 s
}

TEST_F(JwkSetSourceTest, WhatCannotBeLoadedLeavesTheOldInForce) {
  web_.serve(kKeys, key_set("a"));
  start_with_uri();
  for (const char* body :
       {"", "<html>", "{}", R"({"keys":[]})", R"({"keys":[{"kty":"oct","k":"AA"}]})"}) {
    web_.serve(kKeys, body);
    clock_.advance(kRefresh);
  }
  EXPECT_EQ(published_.size(), 1U);
  EXPECT_TRUE(in_force("a"));
}

TEST_F(JwkSetSourceTest, DiscoveryLeadsToTheKeys) {
  web_.serve(kDiscovery, discovery(kIssuer));
  web_.serve(kKeys, key_set("a"));
  start_with_discovery();
  EXPECT_EQ(web_.fetched(), (std::vector<std::string>{kDiscovery, kKeys}));
  EXPECT_TRUE(in_force("a"));
}

TEST_F(JwkSetSourceTest, TrailingSlashOfTheIssuerIsNotDoubled) {
  web_.serve(kDiscovery, discovery(std::string(kIssuer) + "/"));
  web_.serve(kKeys, key_set("a"));
  start({std::string(kIssuer) + "/", {}, {}, {}, {}});
  EXPECT_TRUE(in_force("a"));
}

TEST_F(JwkSetSourceTest, DiscoveryOfAnotherIssuerIsRefused) {
  web_.serve(kKeys, key_set("a"));
  for (const std::string& document :
       {discovery("https://evil"), discovery("https://issuer/realm/"),
        discovery("HTTPS://issuer/realm"), std::string("{\"jwks_uri\":\"https://issuer/keys\"}"),
        std::string("[]"), std::string()}) {
    web_.serve(kDiscovery, document);
    start_with_discovery();
    EXPECT_TRUE(published_.empty()) << document;
    testing::run(loop_, source_->stop());
    source_.reset();
  }
}

TEST_F(JwkSetSourceTest, DiscoveryMustNotLeadToPlainHttp) {
  web_.serve(kDiscovery, discovery(kIssuer, "http://issuer/keys"));
  web_.serve("http://issuer/keys", key_set("a"));
  start_with_discovery();
  EXPECT_EQ(web_.count(), 1U);
  EXPECT_TRUE(published_.empty());
}

TEST_F(JwkSetSourceTest, UnknownKeyIdFetchesAtMostOnceAMinute) {
  web_.serve(kKeys, key_set("a"));
  start_with_uri();
  ask(Need::UnknownKeyId);
  EXPECT_EQ(web_.count(), 2U);  // the first fetch doesn't count
  for (int i = 0; i < 59; ++i) {
    clock_.advance(seconds(1));
    ask(Need::UnknownKeyId);
  }
  EXPECT_EQ(web_.count(), 2U);
  EXPECT_EQ(answers_, 60);
  clock_.advance(seconds(1));
  ask(Need::UnknownKeyId);
  EXPECT_EQ(web_.count(), 3U);
}

TEST_F(JwkSetSourceTest, WallClockThatIsSetMovesNoFetch) {
  web_.serve(kKeys, key_set("a"));
  start_with_uri();
  ask(Need::UnknownKeyId);
  for (const int hours : {24, -48, 24}) {
    clock_.jump_wall_clock(std::chrono::hours(hours));
    ask(Need::UnknownKeyId);
    clock_.advance(seconds(10));
  }
  EXPECT_EQ(web_.count(), 2U);
  clock_.advance(seconds(30));
  ask(Need::UnknownKeyId);
  EXPECT_EQ(web_.count(), 3U);  // a minute has passed
  clock_.jump_wall_clock(-std::chrono::hours(24));
  clock_.advance(kRefresh);
  EXPECT_EQ(web_.count(), 4U);
}

TEST_F(JwkSetSourceTest, AllWhoAskShareOneFetchAndAreAnsweredAfterIt) {
  web_.serve(kKeys, key_set("a"));
  start_with_uri();
  web_.serve(kKeys, key_set("b"));
  web_.hold();
  for (int i = 0; i < 5; ++i) ask(Need::UnknownKeyId);
  EXPECT_EQ(web_.count(), 2U);
  EXPECT_EQ(answers_, 0);

  web_.release();
  testing::run_until_idle(loop_);
  EXPECT_EQ(answers_, 5);
  EXPECT_TRUE(in_force("b"));
}

TEST_F(JwkSetSourceTest, AQuestionDuringTheFirstFetchWaitsForIt) {
  web_.serve(kKeys, key_set("a"));
  web_.hold();
  start_with_uri();
  ask(Need::AnyKeys);
  EXPECT_EQ(answers_, 0);
  web_.release();
  testing::run_until_idle(loop_);
  EXPECT_EQ(answers_, 1);
  EXPECT_EQ(web_.count(), 1U);
}

TEST_F(JwkSetSourceTest, AQuestionBetweenRetriesIsAnsweredAtOnce) {
  start_with_uri();
  ask(Need::AnyKeys);
  EXPECT_EQ(answers_, 1);
  EXPECT_EQ(web_.count(), 1U);
}

TEST_F(JwkSetSourceTest, StopAnswersWhoeverWaits) {
  web_.hold();
  start_with_uri();
  ask(Need::AnyKeys);
  testing::run(loop_, source_->stop());
  EXPECT_EQ(answers_, 1);
  ask(Need::UnknownKeyId);
  EXPECT_EQ(answers_, 2);
  source_.reset();
}

TEST_F(JwkSetSourceTest, FileIsRereadWithinASecondOfItsChange) {
  make_directory();
  ASSERT_TRUE(write_file_atomically(file(), key_set("a"), 0600));
  start_with_file();
  EXPECT_TRUE(in_force("a"));
  ASSERT_TRUE(write_file_atomically(file(), key_set("b"), 0600));
  clock_.advance(seconds(1));
  EXPECT_TRUE(in_force("b"));
  EXPECT_EQ(published_.size(), 2U);
}

TEST_F(JwkSetSourceTest, FileIsRereadAtOnceForAnUnknownKeyId) {
  make_directory();
  ASSERT_TRUE(write_file_atomically(file(), key_set("a"), 0600));
  start_with_file();
  for (const char* kid : {"b", "c", "d"}) {
    ASSERT_TRUE(write_file_atomically(file(), key_set(kid), 0600));
    ask(Need::UnknownKeyId);
    EXPECT_TRUE(in_force(kid));
  }
}

TEST_F(JwkSetSourceTest, BrokenOrMissingFileLeavesTheOldInForce) {
  make_directory();
  ASSERT_TRUE(write_file_atomically(file(), key_set("a"), 0600));
  start_with_file();
  ASSERT_TRUE(write_file_atomically(file(), "{\"keys\":[", 0600));
  clock_.advance(seconds(5));
  std::filesystem::remove(file());
  clock_.advance(seconds(5));
  EXPECT_TRUE(in_force("a"));
  EXPECT_EQ(published_.size(), 1U);

  ASSERT_TRUE(write_file_atomically(file(), key_set("b"), 0600));
  clock_.advance(seconds(1));
  EXPECT_TRUE(in_force("b"));
}

TEST_F(JwkSetSourceTest, FileThatAppearsLaterIsRead) {
  make_directory();
  start_with_file();
  clock_.advance(seconds(10));
  EXPECT_TRUE(published_.empty());
  ASSERT_TRUE(write_file_atomically(file(), key_set("a"), 0600));
  clock_.advance(seconds(1));
  EXPECT_TRUE(in_force("a"));
}

}  // namespace
}  // namespace sluice::auth
