// Attacks by what a token says: encodings (RFC 8725 2.6), tokens for others, and names that lead
// elsewhere (3.6 to 3.12); and by its times (RFC 7519 4.1).
#include "auth/fake_fetch.h"
#include "auth/jwt_attacks_test_support.h"

namespace sluice::auth {
namespace {

using namespace std::string_literals;
using enum SigningAlgorithm;
using Rfc8725_2_6_JsonEncodings = JwtAttacks;
using Rfc8725_3_6_Compression = JwtAttacks;
using Rfc8725_3_7_Utf8 = JwtAttacks;
using Rfc8725_3_9_Audience = JwtAttacks;
using Rfc8725_3_10_ReceivedClaims = JwtAttacks;
using Rfc8725_3_11_ExplicitTyping = JwtAttacks;
using Rfc8725_3_12_MutuallyExclusiveRules = JwtAttacks;
using Rfc7519_4_1_Times = JwtAttacks;

TEST_F(Rfc8725_2_6_JsonEncodings, DuplicateClaimsAndHeaders) {
  expect_refused(with_claims(claims(R"("sub":"admin")")));
  expect_refused(with_claims(claims(R"("s\u0075b":"admin")")));
  expect_refused(with_claims(claims(R"("x":{"a":1,"a":2})")));
  expect_refused(with_header(R"({"alg":"ES256","alg":"ES256","kid":"ec"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"no","kid":"ec"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"none","\u0061lg":"ES256","kid":"ec"})", ec_, Es256));
}

TEST_F(Rfc8725_2_6_JsonEncodings, TextThatOtherParsersReadDifferently) {
  const std::string good = claims();
  for (const std::string& text :
       {good + "x", good + good, good.substr(0, good.size() - 1) + ",}", "/**/" + good,
        good.substr(0, good.size() - 1), "[" + good + "]", "\"" + part(good) + "\"",
        good + std::string(1, '\0'), std::string()}) {
    expect_refused(with_claims(text));
  }
}

TEST_F(Rfc8725_2_6_JsonEncodings, JsonSerialization) {  // RFC 7515 7.2
  const std::string token = valid();
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  const std::string members = fmt::format(R"("payload":"{}","protected":"{}","signature":"{}")",
                                          token.substr(first + 1, last - first - 1),
                                          token.substr(0, first), token.substr(last + 1));
  expect_refused("{" + members + "}");
  expect_refused(R"({"signatures":[{)" + members + "}]}");
  expect_refused(part("{" + members + "}"));
}

TEST_F(Rfc8725_2_6_JsonEncodings, ExtraDotsAndParts) {
  for (const std::string& token :
       {valid() + ".", "." + valid(), valid() + ".e30", valid() + "..", "..." + valid(), ".."s}) {
    expect_refused(token);
  }
}

TEST_F(Rfc8725_2_6_JsonEncodings, WhitespaceAndPadding) {
  const std::string token = valid();
  const std::size_t first = token.find('.');
  for (const std::string& text :
       {" " + token, token + " ", token + "\n", token + "=",
        token + "==", token.substr(0, first) + "=" + token.substr(first),
        token.substr(0, first) + " " + token.substr(first),
        token.substr(0, first) + "\r\n" + token.substr(first), token + "\0"s, token + "%3D"}) {
    expect_refused(text);
  }
}

TEST_F(Rfc8725_2_6_JsonEncodings, StandardBase64Alphabet) {
  // "~~~" and "???" are the texts whose encodings differ between the alphabets: fn5- and Pz8_.
  std::string token = with_claims(claims(R"("x":"~~~~???????~~~~","y":"???~~~")"));
  const std::size_t end = token.rfind('.');
  ASSERT_NE(token.substr(0, end).find_first_of("-_"), std::string::npos);
  for (char& c : token) c = c == '-' ? '+' : c == '_' ? '/' : c;
  expect_refused(token);
}

TEST_F(Rfc8725_2_6_JsonEncodings, HugeAndDeepTokens) {
  expect_refused(std::string(1 << 20, 'a'));
  expect_refused(std::string(1 << 20, '.'));
  expect_refused(valid() + std::string(JsonWebToken::kMaxBytes, 'A'));
  const std::string deep = std::string(4'000, '[') + std::string(4'000, ']');
  expect_refused(with_claims(claims(R"("x":)" + deep)));
}

TEST_F(Rfc8725_3_6_Compression, EncryptedTokens) {
  expect_refused(part(R"({"alg":"RSA-OAEP","enc":"A256GCM"})") + ".AAAA.AAAA.AAAA.AAAA");
  expect_refused(part(R"({"alg":"dir","enc":"A256GCM","zip":"DEF"})") + "..AAAA.AAAA.AAAA");
  expect_refused(with_header(R"({"alg":"dir","enc":"A256GCM","kid":"ec"})", ec_, Es256));
}

TEST_F(Rfc8725_3_6_Compression, CompressedClaims) {
  const std::string deflated = "\x78\x9c\xab\xae\x05\x00\x01\x75\x00\xf9"s;  // of {}
  expect_refused(token_of(ec_, Es256, R"({"alg":"ES256","kid":"ec","zip":"DEF"})", deflated));
}

TEST_F(Rfc8725_3_7_Utf8, OtherEncodingsOfJson) {
  const std::string bom = "\xef\xbb\xbf";
  std::string utf16;
  for (const char c : claims()) utf16 += std::string(1, c) + '\0';
  expect_refused(with_claims(bom + claims()));
  expect_refused(with_claims(utf16));
  expect_refused(with_header(bom + R"({"alg":"ES256","kid":"ec"})", ec_, Es256));
}

TEST_F(Rfc8725_3_7_Utf8, MalformedSequences) {
  for (const char* bytes : {"\xc0\xae", "\xff", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    expect_refused(with_claims(claims(fmt::format(R"("x":"{}")", bytes))));
    expect_refused(
        with_header(fmt::format(R"({{"alg":"ES256","kid":"ec{}"}})", bytes), ec_, Es256));
  }
}

/// Two issuers with a key each, of one `kid`: what "Validate Issuer and Subject" is about.
class Rfc8725_3_8_IssuerAndSubject : public JwtAttacks {
 protected:
  Rfc8725_3_8_IssuerAndSubject() {
    web_.serve("https://a/keys", jwk_set_of(a_.jwk(R"("kid":"k")"), a_.jwk(R"("kid":"only-a")")));
    web_.serve("https://b/keys", jwk_set_of(b_.jwk(R"("kid":"k")")));
    AuthConfig config;
    config.issuers = {IssuerConfig{"https://a", {"for-a"}, {}, "https://a/keys", {}},
                      IssuerConfig{"https://b", {"for-b"}, {}, "https://b/keys", {}}};
    both_ = make_token_verifier(config, {&loop_}, clock_, web_.fetch()).value();
    both_->start();
    testing::run_until_idle(loop_);
  }
  void TearDown() override {
    EXPECT_EQ(web_.fetched(), fetched_);
    testing::run(loop_, both_->stop());
  }
  std::string token(const TestKey& key, std::string_view issuer, std::string_view audience,
                    std::string_view header = R"({"alg":"ES256","kid":"k"})") const {
    return token_of(key, Es256, header,
                    fmt::format(R"({{"iss":{},"aud":"{}","sub":"alice","exp":{}}})", issuer,
                                audience, now_in_seconds() + 60));
  }
  std::string refusal(std::string text) {
    const auto caller = testing::run(loop_, both_->verify(std::move(text)));
    return caller ? "accepted" : caller.error().message;
  }

  const TestKey& a_ = TestKey::of(KeyType::P256);
  const TestKey& b_ = TestKey::other(KeyType::P256);
  FakeFetch web_{loop_};
  std::vector<std::string> fetched_ = {"https://a/keys", "https://b/keys"};
  std::unique_ptr<JwtVerifier> both_;
};

TEST_F(Rfc8725_3_8_IssuerAndSubject, EachKeySpeaksForItsOwnIssuerOnly) {
  EXPECT_EQ(refusal(token(a_, R"("https://a")", "for-a")), "accepted");
  EXPECT_EQ(refusal(token(b_, R"("https://b")", "for-b")), "accepted");
  EXPECT_EQ(refusal(token(a_, R"("https://b")", "for-b")), "signature does not match");
  EXPECT_EQ(refusal(token(b_, R"("https://a")", "for-a")), "signature does not match");
  EXPECT_EQ(refusal(token(a_, R"("https://b")", "for-b", R"({"alg":"ES256"})")),
            "signature does not match");
}

TEST_F(Rfc8725_3_8_IssuerAndSubject, KidOfOneIssuerIsUnknownToTheOther) {
  const std::string header = R"({"alg":"ES256","kid":"only-a"})";
  EXPECT_EQ(refusal(token(a_, R"("https://a")", "for-a", header)), "accepted");
  fetched_.emplace_back("https://b/keys");  // its own, where the key might be new
  EXPECT_EQ(refusal(token(a_, R"("https://b")", "for-b", header)), "no key with this kid");
}

TEST_F(Rfc8725_3_8_IssuerAndSubject, AudienceOfOneIssuerIsNotTheOthers) {
  EXPECT_EQ(refusal(token(a_, R"("https://a")", "for-b")), "token is for another audience");
}

TEST_F(Rfc8725_3_8_IssuerAndSubject, IssuersThatOnlyLookAlikeAreUnknown) {
  for (const char* issuer :
       {R"("https://a/")", R"("HTTPS://a")", R"("https://A")", R"("https://a:443")",
        R"(" https://a")", R"("https://a ")", R"("https://a\u0000")", R"("https://a#")",
        R"("https://b@a")", R"("https://а")", R"("http://a")", R"(["https://a"])",
        R"(["https://a","https://b"])", R"({"https://a":1})", "null", "0", R"("")",
        R"("sluice-development")"}) {
    EXPECT_EQ(refusal(token(a_, issuer, "for-a")), "unknown issuer") << issuer;
  }
}

TEST_F(Rfc8725_3_8_IssuerAndSubject, NamesAndKeysInTheHeaderLeadNowhere) {
  const TestKey& evil = TestKey::other(KeyType::P384);
  for (const std::string& more :
       {R"("jku":"https://evil/keys")"s, R"("x5u":"https://evil/certificate")"s,
        R"("jku":"http://169.254.169.254/latest/meta-data")"s, R"("jku":"file:///etc/passwd")"s,
        R"("x5c":["MIIB"],"x5t":"AA","x5t#S256":"AA")"s, R"("jwk":)" + evil.jwk()}) {
    const std::string header = R"({"alg":"ES256","kid":"k",)" + more + "}";
    EXPECT_EQ(refusal(token(TestKey::other(KeyType::P256), R"("https://a")", "for-a", header)),
              "signature does not match");
    EXPECT_EQ(refusal(token(a_, R"("https://a")", "for-a", header)), "accepted");
  }
}

TEST_F(Rfc8725_3_8_IssuerAndSubject, KidThatIsAUrlOrAPathIsOnlyUnknown) {
  fetched_.emplace_back("https://a/keys");  // once a minute, whatever they are
  for (const char* kid : {"https://evil/keys", "//evil", "../../b/keys", "file:///dev/null"}) {
    const std::string header = fmt::format(R"({{"alg":"ES256","kid":"{}"}})", kid);
    EXPECT_EQ(refusal(token(a_, R"("https://a")", "for-a", header)), "no key with this kid");
  }
}

TEST_F(Rfc8725_3_9_Audience, AudienceOfAnotherService) {
  for (const char* audience :
       {R"("other")", R"(["other"])", "[]", "null", R"("sluice2")", R"("Sluice")", R"("sluice ")",
        R"("sluice,other")", R"("sluice\u0000")", R"([["sluice"]])", R"({"sluice":true})", R"("")",
        "true", R"("*")"}) {
    expect_refused(
        with_claims(fmt::format(R"({{"iss":"https://issuer","sub":"a","exp":{},"aud":{}}})",
                                now_in_seconds() + 60, audience)));
  }
  expect_refused(with_claims(
      fmt::format(R"({{"iss":"https://issuer","sub":"a","exp":{}}})", now_in_seconds() + 60)));
}

TEST_F(Rfc8725_3_10_ReceivedClaims, KeyEmbeddedInTheHeader) {
  const TestKey& evil = TestKey::other(KeyType::P256);
  for (const std::string& header :
       {fmt::format(R"({{"alg":"ES256","jwk":{}}})", evil.jwk()),
        fmt::format(R"({{"alg":"ES256","kid":"ec","jwk":{}}})", evil.jwk()),
        R"({"alg":"ES256","kid":"ec","jku":"https://evil/keys"})"s,
        R"({"alg":"ES256","kid":"ec","x5u":"https://evil/cert","x5c":["MIIB"],"x5t":"AA"})"s}) {
    expect_refused(with_header(header, evil, Es256));
    expect_alice(with_header(header, ec_, Es256));  // not even looked at
  }
}

TEST_F(Rfc8725_3_10_ReceivedClaims, KidInjection) {
  const std::string long_kid(8'000, 'k');
  for (const std::string& kid : {R"("../../../dev/null")"s,
                                 R"("ec' OR '1'='1")"s,
                                 R"("ec;")"s,
                                 R"("|id")"s,
                                 R"("`id`")"s,
                                 R"("https://evil/keys")"s,
                                 R"("EC")"s,
                                 R"("ec ")"s,
                                 R"("ec\u0000")"s,
                                 R"("ес")"s,
                                 R"("")"s,
                                 R"("/proc/self/environ")"s,
                                 R"("%65%63")"s,
                                 R"("ec\nkid: ec")"s,
                                 '"' + long_kid + '"',
                                 "0"s,
                                 "null"s,
                                 "true"s,
                                 R"(["ec"])"s,
                                 R"({"ec":1})"s}) {
    const std::string header = fmt::format(R"({{"alg":"ES256","kid":{}}})", kid);
    expect_refused(with_header(header, TestKey::other(KeyType::P256), Es256));
    expect_refused(with_header(header, ec_, Es256));
  }
}

TEST_F(Rfc8725_3_11_ExplicitTyping, TokensOfOtherKindsAreRefused) {
  for (const char* type :
       {"logout+jwt", "secevent+jwt", "dpop+jwt", "application/secevent+jwt", "oauth-authz-req+jwt",
        "token-introspection+jwt", "entity-statement+jwt", "kb+jwt", "JWE", "", "JWT ", "xJWT"}) {
    expect_refused(
        with_header(fmt::format(R"({{"alg":"ES256","kid":"ec","typ":"{}"}})", type), ec_, Es256));
  }
}

TEST_F(Rfc8725_3_11_ExplicitTyping, AccessTokensAreAccepted) {
  // RFC 7519 5.1, RFC 9068 2.1; media types without regard to case, and as RFC 7515 4.1.9 shortens
  // them. SPIFFE's identities (JWT-SVID) may say JOSE.
  for (const char* type : {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "JOSE"}) {
    expect_alice(
        with_header(fmt::format(R"({{"alg":"ES256","kid":"ec","typ":"{}"}})", type), ec_, Es256));
  }
}

TEST_F(Rfc8725_3_12_MutuallyExclusiveRules, SecurityEventsAndLogoutsAreNoAccessTokens) {
  const std::string logout = R"("http://schemas.openid.net/event/backchannel-logout":{})";
  expect_refused(with_claims(claims(R"("events":{)" + logout + "}")));
}

TEST_F(Rfc7519_4_1_Times, TokenWithoutExpiry) {
  expect_refused(with_claims(R"({"iss":"https://issuer","aud":"sluice","sub":"a"})"));
}

TEST_F(Rfc7519_4_1_Times, ExpiryIsExactAlsoForATokenThatIsRemembered) {
  const std::string token = valid();  // for 60 s
  expect_alice(token);
  clock_.advance(seconds(60) - nanoseconds(1));
  expect_alice(token);
  clock_.advance(nanoseconds(1));
  expect_refused(token);
}

TEST_F(Rfc7519_4_1_Times, LeewayIsForTheBeginningOnly) {
  const std::int64_t now = now_in_seconds();
  for (const char* name : {"nbf", "iat"}) {
    expect_alice(with_claims(claims(fmt::format(R"("{}":{})", name, now + 30))));
    expect_refused(with_claims(claims(fmt::format(R"("{}":{})", name, now + 31))));
  }
  expect_refused(with_claims(
      fmt::format(R"({{"iss":"https://issuer","aud":"sluice","sub":"a","exp":{}}})", now)));
}

TEST_F(Rfc7519_4_1_Times, TimesThatAreNoTimes) {
  for (const char* exp :
       {"-1", "-0.5", "1e300", "1e999", "18446744073709551616", "9999999999999", R"("9999999999")",
        "true", "null", "[]", "{}", "NaN", "Infinity", "0x7fffffff", "+1", "01", "0"}) {
    expect_refused(with_claims(
        fmt::format(R"({{"iss":"https://issuer","aud":"sluice","sub":"a","exp":{}}})", exp)));
  }
}

}  // namespace
}  // namespace sluice::auth
