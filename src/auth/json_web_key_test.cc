#include "auth/json_web_key.h"

#include <gtest/gtest.h>

#include "auth/test_key.h"
#include "base/base64.h"

namespace sluice::auth {
namespace {

Result<JsonWebKey> parse(std::string_view text) {
  const auto object = json::parse(text);
  EXPECT_TRUE(object && object->is_object()) << text;
  return parse_json_web_key(object->get_object());
}

void expect_unusable(std::string_view text, std::string_view why) {
  const auto key = parse(text);
  ASSERT_FALSE(key) << text;
  EXPECT_EQ(key.error().code, ErrorCode::InvalidArgument);
  EXPECT_NE(key.error().message.find(why), std::string::npos) << key.error().message;
}

std::string rsa_jwk(std::string_view modulus, std::string_view exponent) {
  return R"({"kty":"RSA","n":")" + base64url_encode(as_bytes(modulus)) + R"(","e":")" +
         base64url_encode(as_bytes(exponent)) + R"("})";
}

TEST(JsonWebKey, EveryTypeIsRead) {
  for (const KeyType type : {KeyType::Rsa, KeyType::P256, KeyType::P384, KeyType::P521,
                             KeyType::Ed25519, KeyType::Ed448}) {
    const auto key = parse(TestKey::of(type).jwk(R"("kid":"a","use":"sig","x5c":["ignored"])"));
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->type, type);
    EXPECT_EQ(key->id, "a");
    EXPECT_EQ(key->algorithm, std::nullopt);
  }
}

TEST(JsonWebKey, SymmetricAndUnknownTypesAreUnusable) {
  expect_unusable(R"({"kty":"oct","k":"AAAA","alg":"HS256"})", "not supported");
  expect_unusable(R"({"kty":"oct","k":"AAAA"})", "kty");
  expect_unusable(R"({"kty":"rsa"})", "kty");
  expect_unusable(R"({"kty":["RSA"]})", "kty");
  expect_unusable(R"({})", "kty");
}

TEST(JsonWebKey, PurposeOtherThanVerifyingIsUnusable) {
  const TestKey& key = TestKey::of(KeyType::P256);
  for (const char* more : {R"("use":"enc")", R"("use":"")", R"("use":7)", R"("key_ops":[])",
                           R"("key_ops":["sign"])", R"("key_ops":"verify")",
                           R"("key_ops":["Verify"])", R"("use":"enc","key_ops":["verify"])"}) {
    EXPECT_FALSE(parse(key.jwk(more))) << more;
  }
  EXPECT_TRUE(parse(key.jwk(R"("key_ops":["sign","verify"])")));
}

TEST(JsonWebKey, AlgMustBeKnownAndGoWithTheType) {
  EXPECT_EQ(parse(TestKey::of(KeyType::Rsa).jwk(R"("alg":"PS256")"))->algorithm,
            SigningAlgorithm::Ps256);
  expect_unusable(TestKey::of(KeyType::Rsa).jwk(R"("alg":"ES256")"), "does not go with");
  expect_unusable(TestKey::of(KeyType::P256).jwk(R"("alg":"ES384")"), "does not go with");
  expect_unusable(TestKey::of(KeyType::P256).jwk(R"("alg":"RS256")"), "does not go with");
  expect_unusable(TestKey::of(KeyType::Ed25519).jwk(R"("alg":"ES256")"), "does not go with");
  for (const char* more : {R"("alg":"HS256")", R"("alg":"none")", R"("alg":"RSA-OAEP")",
                           R"("alg":"rs256")", R"("alg":256)", R"("alg":null)"}) {
    expect_unusable(TestKey::of(KeyType::Rsa).jwk(more), "not supported");
  }
}

TEST(JsonWebKey, KidMustBeAString) {
  expect_unusable(TestKey::of(KeyType::P256).jwk(R"("kid":7)"), "kid");
}

TEST(JsonWebKey, WeakAndHugeRsaKeysAreUnusable) {
  const auto modulus = [](std::size_t bytes) { return std::string(bytes, '\xff'); };
  expect_unusable(rsa_jwk(modulus(128), "\x01\x00\x01"), "1024 bits");
  expect_unusable(rsa_jwk('\x7f' + modulus(255), "\x03"), "2047 bits");
  expect_unusable(rsa_jwk(modulus(1025), "\x03"), "8200 bits");
  expect_unusable(rsa_jwk(modulus(255) + '\xfe', "\x03"), "not a valid");
  expect_unusable(rsa_jwk(modulus(256), "\x01"), "exponent");
  expect_unusable(rsa_jwk(modulus(256), "\x02"), "exponent");
  expect_unusable(rsa_jwk(modulus(256), "\x01\x01\x01\x01\x01"), "exponent");
  EXPECT_TRUE(parse(rsa_jwk(modulus(256), "\x03")));
}

TEST(JsonWebKey, NumbersThatAreNotStrictBase64urlAreUnusable) {
  for (const char* text :
       {R"({"kty":"RSA"})", R"({"kty":"RSA","n":"AQAB"})", R"({"kty":"RSA","n":"","e":"AQAB"})",
        R"({"kty":"RSA","n":"AQAB=","e":"AQAB"})", R"({"kty":"RSA","n":"A+B/","e":"AQAB"})",
        R"({"kty":"RSA","n":65537,"e":"AQAB"})"}) {
    expect_unusable(text, "not base64url");
  }
}

TEST(JsonWebKey, PointsOffTheirCurveAreUnusable) {
  const std::string x(43, 'A');
  expect_unusable(R"({"kty":"EC","crv":"P-256","x":")" + x + R"(","y":")" + x + R"("})",
                  "not a valid");
}

TEST(JsonWebKey, CoordinatesHaveTheLengthOfTheirCurve) {
  const std::string jwk = TestKey::of(KeyType::P384).jwk();
  std::string as_p256 = jwk;
  as_p256.replace(as_p256.find("P-384"), 5, "P-256");
  expect_unusable(as_p256, "wrong length");
  expect_unusable(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", "wrong length");
}

TEST(JsonWebKey, OtherCurvesAreUnusable) {
  for (const char* text : {R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})",
                           R"({"kty":"EC","crv":"Ed25519","x":"AA","y":"AA"})",
                           R"({"kty":"OKP","crv":"X25519","x":"AA"})",
                           R"({"kty":"OKP","crv":"P-256"})", R"({"kty":"EC"})"}) {
    expect_unusable(text, "crv");
  }
}

TEST(JwkSet, UnusableKeysAreSkipped) {
  const auto set = JwkSet::parse(jwk_set_of(R"({"kty":"oct","k":"AAAA","kid":"s"},7)",
                                            TestKey::of(KeyType::P256).jwk(R"("kid":"a")")));
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->size(), 1U);
  EXPECT_FALSE(set->has_key("s"));
}

TEST(JwkSet, WithoutUsableKeysIsAnErrorThatSaysWhy) {
  for (const char* text :
       {R"({"keys":[]})", R"({"keys":[{"kty":"oct","k":"AAAA"}]})", R"({"keys":{}})", R"({})", "[]",
        "", "<html>", R"({"keys":[{"kty":"EC"}],"keys":[]})"}) {
    EXPECT_FALSE(JwkSet::parse(text)) << text;
  }
  EXPECT_NE(JwkSet::parse(R"({"keys":[{"kty":"oct"}]})").error().message.find("kty"),
            std::string::npos);
}

TEST(JwkSet, TooManyKeysAreRefused) {
  std::string keys = "{}";
  for (std::size_t i = 0; i < JwkSet::kMaxKeys; ++i) keys += ",{}";
  EXPECT_NE(JwkSet::parse(jwk_set_of(keys)).error().message.find("at most"), std::string::npos);
}

TEST(JwkSet, CandidatesHaveTheKidAndGoWithTheAlgorithm) {
  const auto set = JwkSet::parse(jwk_set_of(TestKey::of(KeyType::Rsa).jwk(R"("kid":"a")"),
                                            TestKey::of(KeyType::P256).jwk(R"("kid":"b")")));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->candidates("a", SigningAlgorithm::Rs256).size(), 1U);
  EXPECT_EQ(set->candidates("a", SigningAlgorithm::Es256).size(), 0U);
  EXPECT_EQ(set->candidates("c", SigningAlgorithm::Rs256).size(), 0U);
  EXPECT_EQ(set->candidates(std::nullopt, SigningAlgorithm::Es256).size(), 1U);
  EXPECT_EQ(set->candidates(std::nullopt, SigningAlgorithm::EdDsa).size(), 0U);
}

TEST(JwkSet, KeysOfOneKidAreAllCandidatesButBounded) {
  const std::string jwk = TestKey::of(KeyType::P256).jwk(R"("kid":"a")");
  std::string keys = jwk;
  for (int i = 0; i < 20; ++i) keys += "," + jwk;
  const auto set = JwkSet::parse(jwk_set_of(keys, TestKey::other(KeyType::P256).jwk()));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->candidates("a", SigningAlgorithm::Es256).size(), JwkSet::kMaxCandidates);
  EXPECT_EQ(set->candidates(std::nullopt, SigningAlgorithm::Es256).size(), JwkSet::kMaxCandidates);
}

}  // namespace
}  // namespace sluice::auth
