// For the tests of what attackers send (RFC 8725): a verifier of one issuer, with a key of each
// common kind, and tokens made by hand. The tests' suites are named for the sections of that RFC.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "auth/json_web_token.h"
#include "auth/jwt_verifier.h"
#include "auth/test_key.h"
#include "base/base64.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::auth {

inline std::string part(std::string_view text) { return base64url_encode(as_bytes(text)); }

class JwtAttacks : public ::testing::Test {
 protected:
  JwtAttacks() {
    auto keys = JwkSet::parse(fmt::format(R"({{"keys":[{},{},{},{}]}})", rsa_.jwk(R"("kid":"rsa")"),
                                          ec_.jwk(R"("kid":"ec")"),
                                          TestKey::of(KeyType::P521).jwk(R"("kid":"p521")"),
                                          TestKey::of(KeyType::Ed25519).jwk(R"("kid":"ed")")));
    verifier_.add(ClaimRules{"https://issuer", {"sluice"}, {}, seconds(30)}, *std::move(keys));
  }

  /// Valid claims of alice with more members.
  std::string claims(std::string_view more = {}) const {
    return fmt::format(
        R"({{"iss":"https://issuer","aud":["x","sluice"],"sub":"alice","exp":{}{}{}}})",
        now_in_seconds() + 60, more.empty() ? "" : ",", more);
  }
  std::int64_t now_in_seconds() const {
    return std::chrono::floor<seconds>(clock_.wall_now()).time_since_epoch().count();
  }
  std::string valid() const {
    return token_of(ec_, SigningAlgorithm::Es256, R"({"alg":"ES256","kid":"ec"})", claims());
  }
  /// A header of one's own over the valid claims, with the genuine signature of that text.
  std::string with_header(std::string_view header, const TestKey& key,
                          SigningAlgorithm signer) const {
    return token_of(key, signer, header, claims());
  }
  /// The same with claims of one's own.
  std::string with_claims(std::string_view claims) const {
    return token_of(ec_, SigningAlgorithm::Es256, R"({"alg":"ES256","kid":"ec"})", claims);
  }

  Accepted<Caller> verify(std::string token) {
    return testing::run(loop_, verifier_.verify(std::move(token)));
  }
  void expect_refused(std::string token) {
    const auto caller = verify(token);
    ASSERT_FALSE(caller) << token;
    EXPECT_EQ(caller.error().code, ErrorCode::Unauthenticated);
    EXPECT_EQ(caller.error().message.find_first_of("\"\\"), std::string::npos);
    EXPECT_EQ(token.find(caller.error().message), std::string::npos);
  }
  void expect_alice(std::string token) {
    const auto caller = verify(token);
    ASSERT_TRUE(caller) << caller.error().message << ": " << token;
    EXPECT_EQ(caller->user, "alice");
  }

  const TestKey& rsa_ = TestKey::of(KeyType::Rsa);
  const TestKey& ec_ = TestKey::of(KeyType::P256);
  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  JwtVerifier verifier_{{&loop_}, clock_};
};

}  // namespace sluice::auth
