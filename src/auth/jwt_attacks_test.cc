// What attackers send (RFC 8725 2): each attack is a test of that name, against a verifier whose
// issuer has an RSA and a P-256 key.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/json_web_token.h"
#include "auth/jwt_verifier.h"
#include "auth/test_key.h"
#include "base/base64.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::auth {
namespace {

using enum SigningAlgorithm;

std::string part(std::string_view text) { return base64url_encode(as_bytes(text)); }

class JwtAttacks : public ::testing::Test {
 protected:
  JwtAttacks() {
    auto keys = JwkSet::parse(jwk_set_of(rsa_.jwk(R"("kid":"rsa")"), ec_.jwk(R"("kid":"ec")")));
    verifier_.add(ClaimRules{"https://issuer", {"sluice"}, {}, seconds(30)}, *std::move(keys));
  }

  std::string claims(std::string_view more = {}) const {
    const auto now = std::chrono::floor<seconds>(clock_.wall_now()).time_since_epoch().count();
    return fmt::format(
        R"({{"iss":"https://issuer","aud":["x","sluice"],"sub":"alice","exp":{}{}{}}})", now + 60,
        more.empty() ? "" : ",", more);
  }
  Result<Caller> verify(std::string token) {
    return testing::run(loop_, verifier_.verify(std::move(token)));
  }
  void expect_refused(std::string token) {
    const auto caller = verify(token);
    ASSERT_FALSE(caller) << token;
    EXPECT_EQ(caller.error().code, ErrorCode::Unauthenticated);
    EXPECT_EQ(caller.error().message.find_first_of("\"\\"), std::string::npos);
    EXPECT_EQ(token.find(caller.error().message), std::string::npos);
  }
  std::string valid() const {
    return token_of(ec_, Es256, R"({"alg":"ES256","kid":"ec"})", claims());
  }
  /// A header of one's own over the valid claims, with the genuine signature of that text.
  std::string with_header(std::string_view header, const TestKey& key,
                          SigningAlgorithm signer) const {
    return token_of(key, signer, header, claims());
  }
  std::string hmac_token(std::string_view header, std::string_view secret,
                         const EVP_MD* digest) const {
    std::string text = part(header) + '.' + part(claims());
    unsigned char code[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(digest, secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), code, &size);
    return text + '.' + base64url_encode(std::as_bytes(std::span(code, size)));
  }

  const TestKey& rsa_ = TestKey::of(KeyType::Rsa);
  const TestKey& ec_ = TestKey::of(KeyType::P256);
  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  JwtVerifier verifier_{{&loop_}, clock_};
};

TEST_F(JwtAttacks, TheGenuineTokensAreAccepted) {
  EXPECT_TRUE(verify(valid()));
  EXPECT_TRUE(verify(with_header(R"({"alg":"RS256","kid":"rsa"})", rsa_, Rs256)));
  EXPECT_TRUE(verify(with_header(R"({"alg":"PS512","kid":"rsa"})", rsa_, Ps512)));
}

TEST_F(JwtAttacks, AlgNoneInAllSpellings) {
  for (const char* name : {"none", "None", "NONE", "nOnE", "NonE", ""}) {
    const std::string text =
        part(fmt::format(R"({{"alg":"{}","kid":"ec"}})", name)) + '.' + part(claims());
    expect_refused(text + '.');
    expect_refused(text);
    expect_refused(text + valid().substr(valid().rfind('.')));
  }
}

TEST_F(JwtAttacks, HmacWithThePublicKeyAsSecret) {
  const std::string jwk = rsa_.jwk(R"("kid":"rsa")");
  for (const std::string& secret : {rsa_.public_pem(), ec_.public_pem(), jwk, std::string()}) {
    for (const char* name : {"HS256", "HS384", "HS512", "RS256", "ES256"}) {
      const EVP_MD* digest = std::string_view(name).ends_with("384")   ? EVP_sha384()
                             : std::string_view(name).ends_with("512") ? EVP_sha512()
                                                                       : EVP_sha256();
      expect_refused(
          hmac_token(fmt::format(R"({{"alg":"{}","kid":"rsa"}})", name), secret, digest));
      expect_refused(hmac_token(fmt::format(R"({{"alg":"{}"}})", name), secret, digest));
    }
  }
}

TEST_F(JwtAttacks, AlgorithmOfAnotherKeyType) {
  expect_refused(with_header(R"({"alg":"RS256","kid":"ec"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"rsa"})", rsa_, Rs256));
  expect_refused(with_header(R"({"alg":"ES384","kid":"ec"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"EdDSA","kid":"ec"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"RS512","kid":"rsa"})", rsa_, Rs256));
  expect_refused(with_header(R"({"alg":"PS256","kid":"rsa"})", rsa_, Rs256));
  expect_refused(with_header(R"({"alg":"RS256","kid":"rsa"})", rsa_, Ps256));
}

TEST_F(JwtAttacks, KeyOfAnotherCurve) {
  const TestKey& p384 = TestKey::of(KeyType::P384);
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec"})", p384, Es384));
  expect_refused(with_header(R"({"alg":"ES384"})", p384, Es384));
}

TEST_F(JwtAttacks, KeyEmbeddedInTheHeader) {
  const TestKey& evil = TestKey::other(KeyType::P256);
  for (const std::string& header :
       {fmt::format(R"({{"alg":"ES256","jwk":{}}})", evil.jwk()),
        fmt::format(R"({{"alg":"ES256","kid":"ec","jwk":{}}})", evil.jwk()),
        std::string(R"({"alg":"ES256","kid":"ec","jku":"https://evil/keys"})"),
        std::string(
            R"({"alg":"ES256","kid":"ec","x5u":"https://evil/cert","x5c":["MIIB"],"x5t":"AA"})")}) {
    expect_refused(with_header(header, evil, Es256));
    EXPECT_TRUE(verify(with_header(header, ec_, Es256)));  // not even looked at
  }
}

TEST_F(JwtAttacks, KidInjection) {
  for (const char* kid : {"../../../dev/null", "ec' OR '1'='1", "ec;", "|id", "https://evil/keys",
                          "EC", "ec ", "ec\\u0000", "", "/proc/self/environ"}) {
    expect_refused(with_header(fmt::format(R"({{"alg":"ES256","kid":"{}"}})", kid),
                               TestKey::other(KeyType::P256), Es256));
    expect_refused(with_header(fmt::format(R"({{"alg":"ES256","kid":"{}"}})", kid), ec_, Es256));
  }
}

TEST_F(JwtAttacks, CriticalHeader) {
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec","crit":["exp"],"exp":0})", ec_, Es256));
  expect_refused(
      with_header(R"({"alg":"ES256","kid":"ec","crit":["b64"],"b64":false})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec","crit":[]})", ec_, Es256));
}

TEST_F(JwtAttacks, SignatureStripped) {
  const std::string token = valid();
  expect_refused(token.substr(0, token.rfind('.') + 1));
  expect_refused(token.substr(0, token.rfind('.')));
}

TEST_F(JwtAttacks, SignatureTruncatedAnywhere) {
  const std::string token = valid();
  for (std::size_t size = 0; size < token.size(); ++size) expect_refused(token.substr(0, size));
}

TEST_F(JwtAttacks, SignatureInDerForm) {
  const std::string text = part(R"({"alg":"ES256","kid":"ec"})") + '.' + part(claims());
  expect_refused(text + '.' + part(ec_.sign_der(Es256, text)));
}

TEST_F(JwtAttacks, ZeroSignature) {
  const std::string text = part(R"({"alg":"ES256","kid":"ec"})") + '.' + part(claims());
  expect_refused(text + '.' + part(std::string(64, '\0')));  // CVE-2022-21449
}

TEST_F(JwtAttacks, SignatureOfAnotherToken) {
  const std::string other =
      token_of(ec_, Es256, R"({"alg":"ES256","kid":"ec"})", claims(R"("groups":["a"])"));
  expect_refused(other.substr(0, other.rfind('.')) + valid().substr(valid().rfind('.')));
}

TEST_F(JwtAttacks, ClaimsChangedAfterSigning) {
  const std::string token = valid();
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  std::string changed = claims();
  changed.replace(changed.find("alice"), 5, "admin");
  expect_refused(token.substr(0, first + 1) + part(changed) + token.substr(last));
}

TEST_F(JwtAttacks, ExtraDotsAndParts) {
  for (const std::string& token : {valid() + ".", "." + valid(), valid() + ".e30", valid() + "..",
                                   "..." + valid(), std::string("..")}) {
    expect_refused(token);
  }
}

TEST_F(JwtAttacks, WhitespaceAndPadding) {
  const std::string token = valid();
  const std::size_t first = token.find('.');
  for (const std::string& text :
       {" " + token, token + " ", token + "\n", token + "=",
        token + "==", token.substr(0, first) + "=" + token.substr(first),
        token.substr(0, first) + " " + token.substr(first),
        token.substr(0, first) + "\r\n" + token.substr(first), token + std::string(1, '\0')}) {
    expect_refused(text);
  }
}

TEST_F(JwtAttacks, TrailingBitsOfTheSignature) {
  // 64 bytes end in a character of which four bits count: another one would be the same signature.
  std::string token = valid();
  const std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  token.back() = alphabet[alphabet.find(token.back()) + 1];
  expect_refused(token);
}

TEST_F(JwtAttacks, DuplicateClaimsAndHeaders) {
  expect_refused(token_of(ec_, Es256, R"({"alg":"ES256","kid":"ec"})", claims(R"("sub":"admin")")));
  expect_refused(with_header(R"({"alg":"ES256","alg":"ES256","kid":"ec"})", ec_, Es256));
}

TEST_F(JwtAttacks, AudienceOfAnotherService) {
  const auto now = std::chrono::floor<seconds>(clock_.wall_now()).time_since_epoch().count();
  for (const char* audience : {R"("other")", R"(["other"])", "[]", "null"}) {
    expect_refused(token_of(ec_, Es256, R"({"alg":"ES256","kid":"ec"})",
                            fmt::format(R"({{"iss":"https://issuer","sub":"a","exp":{},"aud":{}}})",
                                        now + 60, audience)));
  }
}

TEST_F(JwtAttacks, HugeTokens) {
  expect_refused(std::string(1 << 20, 'a'));
  expect_refused(std::string(1 << 20, '.'));
  expect_refused(valid() + std::string(JsonWebToken::kMaxBytes, 'A'));
}

TEST_F(JwtAttacks, EncryptedTokens) {
  expect_refused(part(R"({"alg":"RSA-OAEP","enc":"A256GCM"})") + ".AAAA.AAAA.AAAA.AAAA");
  expect_refused(part(R"({"alg":"dir","enc":"A256GCM"})") + "..AAAA.AAAA.AAAA");
}

TEST_F(JwtAttacks, JsonSerialization) {
  expect_refused(R"({"payload":"e30","protected":"e30","signature":"AA"})");
}

TEST_F(JwtAttacks, TokenWithoutExpiry) {
  expect_refused(token_of(ec_, Es256, R"({"alg":"ES256","kid":"ec"})",
                          R"({"iss":"https://issuer","aud":"sluice","sub":"a"})"));
}

}  // namespace
}  // namespace sluice::auth
