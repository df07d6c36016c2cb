#include "auth/jwt_verifier.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "auth/fake_fetch.h"
#include "auth/jwt_attacks_test_support.h"
#include "auth/test_key.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::auth {
namespace {

using enum SigningAlgorithm;

constexpr const char* kIssuer = "https://issuer";
constexpr const char* kKeys = "https://issuer/keys";

std::string kid(std::string_view name) { return fmt::format(R"("kid":"{}")", name); }

class JwtVerifierTest : public ::testing::Test {
 protected:
  JwtVerifierTest() { web_.serve(kKeys, jwk_set_of(TestKey::of(KeyType::P256).jwk(kid("a")))); }

  void TearDown() override {
    if (verifier_) testing::run(loop_, verifier_->stop());
  }

  void start(std::vector<net::EventLoop*> loops) {
    AuthConfig config;
    config.issuers = {IssuerConfig{kIssuer, {}, {}, kKeys, {}}};
    auto made = make_token_verifier(config, std::move(loops), clock_, web_.fetch());
    ASSERT_TRUE(made) << made.error().message;
    verifier_ = *std::move(made);
    verifier_->start();
  }
  void start() { start({&loop_}); }

  std::string token(std::string_view user, std::string_view header = R"({"alg":"ES256","kid":"a"})",
                    const TestKey& key = TestKey::of(KeyType::P256)) {
    const auto now = std::chrono::floor<seconds>(clock_.wall_now()).time_since_epoch().count();
    return token_of(
        key, Es256, header,
        fmt::format(R"({{"iss":"{}","sub":"{}","exp":{}}})", kIssuer, user, now + 3600));
  }
  Accepted<Caller> verify(std::string text) {
    return testing::run(loop_, verifier_->verify(std::move(text)));
  }
  void expect_refused(std::string text, std::string_view why) {
    const auto caller = verify(std::move(text));
    ASSERT_FALSE(caller);
    EXPECT_EQ(caller.error().code, ErrorCode::Unauthenticated);
    EXPECT_EQ(caller.error().message, why);
  }

  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  FakeFetch web_{loop_};
  std::unique_ptr<JwtVerifier> verifier_;
};

TEST_F(JwtVerifierTest, TokenOfTheIssuerIsItsCaller) {
  start();
  const auto caller = verify(token("alice"));
  ASSERT_TRUE(caller) << caller.error().message;
  EXPECT_EQ(caller->user, "alice");
}

TEST_F(JwtVerifierTest, WithoutKidAllKeysThatFitAreTried) {
  web_.serve(kKeys, jwk_set_of(TestKey::other(KeyType::P256).jwk(kid("x")),
                               TestKey::of(KeyType::P256).jwk(kid("y"))));
  start();
  EXPECT_TRUE(verify(token("alice", R"({"alg":"ES256"})")));
}

TEST_F(JwtVerifierTest, UnknownIssuerIsRefusedWithoutFetching) {
  start();
  ASSERT_TRUE(verify(token("alice")));
  const std::size_t before = web_.count();
  expect_refused(token_of(TestKey::of(KeyType::P256), Es256, R"({"alg":"ES256","kid":"new"})",
                          R"({"iss":"https://evil","sub":"alice","exp":9999999999})"),
                 "unknown issuer");
  EXPECT_EQ(web_.count(), before);
}

TEST_F(JwtVerifierTest, UnknownKidFetchesOnceAMinuteThenRefuses) {
  start();
  ASSERT_TRUE(verify(token("alice")));
  for (int i = 0; i < 10; ++i) {
    expect_refused(token("alice", R"({"alg":"ES256","kid":"new"})"), "no key with this kid");
  }
  EXPECT_EQ(web_.count(), 2U);
}

TEST_F(JwtVerifierTest, RotatedKeyIsTakenWithoutWaitingForTheRefresh) {
  start();
  ASSERT_TRUE(verify(token("alice")));
  web_.serve(kKeys, jwk_set_of(TestKey::of(KeyType::P256).jwk(kid("a")),
                               TestKey::other(KeyType::P256).jwk(kid("b"))));
  EXPECT_TRUE(verify(token("bob", R"({"alg":"ES256","kid":"b"})", TestKey::other(KeyType::P256))));
  EXPECT_EQ(web_.count(), 2U);
}

TEST_F(JwtVerifierTest, TokenWhoseKeyWasRemovedIsRefusedAlsoWhenItWasVerifiedBefore) {
  start();
  const std::string text = token("alice");
  ASSERT_TRUE(verify(text));
  web_.serve(kKeys, jwk_set_of(TestKey::other(KeyType::P256).jwk(kid("b"))));
  clock_.advance(seconds(600));
  expect_refused(text, "no key with this kid");
}

TEST_F(JwtVerifierTest, RemovedKeyUnderTheSameKidNoLongerVerifies) {
  start();
  const std::string text = token("alice");
  ASSERT_TRUE(verify(text));
  web_.serve(kKeys, jwk_set_of(TestKey::other(KeyType::P256).jwk(kid("a"))));
  clock_.advance(seconds(600));
  expect_refused(text, "signature does not match");
}

TEST_F(JwtVerifierTest, KidOfAKeyForAnotherAlgorithmDoesNotFetch) {
  start();
  ASSERT_TRUE(verify(token("alice")));
  expect_refused(token("alice", R"({"alg":"RS256","kid":"a"})"),
                 "the key with this kid goes with another algorithm");
  EXPECT_EQ(web_.count(), 1U);
}

TEST_F(JwtVerifierTest, WithoutKeysItIsUnavailable) {
  web_.remove(kKeys);
  start();
  const auto caller = verify(token("alice"));
  ASSERT_FALSE(caller);
  EXPECT_EQ(caller.error().code, ErrorCode::Unavailable);
  EXPECT_TRUE(caller.error().retry_after);
}

TEST_F(JwtVerifierTest, ManyAtOnceShareTheFirstFetch) {
  web_.hold();
  start();
  net::TaskGroup group(loop_.executor());
  std::vector<std::optional<Accepted<Caller>>> results(20);
  for (auto& result : results) {
    group.spawn("verify", testing::store_result(verifier_->verify(token("alice")), result));
  }
  testing::run_until_idle(loop_);
  EXPECT_EQ(group.size(), 20U);
  web_.release();
  testing::run_until_empty(loop_, group);
  for (const auto& result : results) EXPECT_TRUE(result && *result);
  EXPECT_EQ(web_.count(), 1U);
}

TEST_F(JwtVerifierTest, CancelledWhileItWaitsItEnds) {
  web_.hold();
  start();
  net::TaskGroup group(loop_.executor());
  std::optional<Accepted<Caller>> result;
  group.spawn("verify", testing::store_result(verifier_->verify(token("alice")), result));
  testing::run_until_idle(loop_);
  group.cancel();
  testing::run_until_empty(loop_, group);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, ErrorCode::Cancelled);
  web_.release();
  EXPECT_TRUE(verify(token("alice")));
}

TEST_F(JwtVerifierTest, ClockSetBackBeforeNbfRefusesAVerifiedToken) {
  start();
  const auto now = std::chrono::floor<seconds>(clock_.wall_now()).time_since_epoch().count();
  const std::string text = token_of(
      TestKey::of(KeyType::P256), Es256, R"({"alg":"ES256","kid":"a"})",
      fmt::format(R"({{"iss":"{}","sub":"a","nbf":{},"exp":{}}})", kIssuer, now, now + 3600));
  ASSERT_TRUE(verify(text));
  clock_.jump_wall_clock(-seconds(60));
  expect_refused(text, "token not yet valid");
}

TEST_F(JwtVerifierTest, ClockSetForwardExpiresAVerifiedTokenAndSetBackItIsGoodAgain) {
  start();
  const std::string text = token("alice");
  ASSERT_TRUE(verify(text));
  clock_.jump_wall_clock(seconds(3600));
  expect_refused(text, "token expired");
  clock_.jump_wall_clock(-seconds(1));
  EXPECT_TRUE(verify(text));
}

TEST_F(JwtVerifierTest, AnotherLoopAsksAcrossAndIsAnswered) {
  net::EventLoop second;
  web_.hold();
  start({&loop_, &second});
  net::TaskGroup group(second.executor());
  std::optional<Accepted<Caller>> result;
  group.spawn("verify", testing::store_result(verifier_->verify(token("alice")), result));

  testing::run_until_idle(second);
  testing::run_until_idle(loop_);
  EXPECT_FALSE(result);
  web_.release();
  testing::run_until_idle(loop_);
  testing::run_until_idle(second);

  ASSERT_TRUE(result);
  EXPECT_TRUE(*result);
  EXPECT_EQ(group.size(), 0U);
}

TEST_F(JwtVerifierTest, RotationReachesEveryLoop) {
  net::EventLoop second;
  start({&loop_, &second});
  const std::string text = token("alice");
  testing::run_until_idle(loop_);
  ASSERT_TRUE(testing::run(second, verifier_->verify(text)));
  web_.serve(kKeys, jwk_set_of(TestKey::other(KeyType::P256).jwk(kid("a"))));
  clock_.advance(seconds(600));
  EXPECT_FALSE(testing::run(second, verifier_->verify(text)));
}

class RefusalReasons : public JwtAttacks {
 protected:
  /// Claims that are right but for what is added to them, or left out of them.
  std::string claims_without(std::string_view name, std::string_view instead = "") const {
    const std::pair<std::string_view, std::string> all[] = {
        {"iss", R"("https://issuer")"},
        {"aud", R"("sluice")"},
        {"sub", R"("alice")"},
        {"exp", std::to_string(now_in_seconds() + 60)}};
    std::string text;
    for (const auto& [key, value] : all) {
      if (key != name) text += fmt::format(R"({}"{}":{})", text.empty() ? "" : ",", key, value);
    }
    if (!instead.empty()) text += fmt::format(R"(,"{}":{})", name, instead);
    return with_claims("{" + text + "}");
  }
  void expect_reason(std::string text, AuthenticationFailure reason) {
    const auto caller = verify(text);
    ASSERT_FALSE(caller) << text;
    EXPECT_EQ(to_string(caller.error().reason), to_string(reason)) << caller.error().message;
  }
};

TEST_F(RefusalReasons, OfWhatTheTokenIs) {
  using enum AuthenticationFailure;
  const auto header = [&](std::string_view text, const TestKey& key) {
    return with_header(text, key, Es256);
  };
  const TestKey& other = TestKey::other(KeyType::P256);
  const std::string good = valid();
  ASSERT_TRUE(verify(good));
  const std::pair<std::string, AuthenticationFailure> table[] = {
      {"no dots", Malformed},
      {std::string(JsonWebToken::kMaxBytes + 1, 'a'), Malformed},
      {header(R"({"kid":"ec"})", ec_), Malformed},
      {header(R"({"alg":"ES256","kid":1})", ec_), Malformed},
      {header(R"({"alg":"none"})", ec_), Other},
      {header(R"({"alg":"ES256","crit":["x"]})", ec_), Other},
      {header(R"({"alg":"ES256","typ":"logout+jwt"})", ec_), Other},
      {good.substr(0, good.rfind('.') + 1), BadSignature},
      {header(R"({"alg":"ES256","kid":"ec"})", other), BadSignature},
      {header(R"({"alg":"ES256","kid":"unknown"})", ec_), BadSignature},
      {header(R"({"alg":"ES256","kid":"rsa"})", ec_), BadSignature},
  };
  for (const auto& [text, reason] : table) expect_reason(text, reason);
}

TEST_F(RefusalReasons, OfWhatItClaims) {
  using enum AuthenticationFailure;
  ASSERT_TRUE(verify(claims_without("groups")));
  const std::string past = std::to_string(now_in_seconds() - 1);
  const std::string future = std::to_string(now_in_seconds() + 3600);
  const std::pair<std::string, AuthenticationFailure> table[] = {
      {claims_without("iss"), UnknownIssuer},
      {claims_without("iss", R"("https://another")"), UnknownIssuer},
      {claims_without("exp"), Other},
      {claims_without("exp", past), Expired},
      {claims_without("exp", R"("soon")"), Malformed},
      {claims_without("nbf", future), NotYetValid},
      {claims_without("iat", future), NotYetValid},
      {claims_without("aud"), WrongAudience},
      {claims_without("aud", R"("another")"), WrongAudience},
      {claims_without("sub"), Other},
      {claims_without("sub", "1"), Malformed},
      {claims_without("groups", "1"), Malformed},
      {claims_without("events", "{}"), Other},
  };
  for (const auto& [text, reason] : table) expect_reason(text, reason);
}

}  // namespace
}  // namespace sluice::auth
