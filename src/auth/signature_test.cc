#include "auth/signature.h"

#include <array>

#include <gtest/gtest.h>

#include "auth/rfc_examples.h"
#include "auth/test_key.h"
#include "base/base64.h"

namespace sluice::auth {
namespace {

using namespace std::string_literals;
using enum SigningAlgorithm;

constexpr std::array kAlgorithms = {Rs256, Rs384, Rs512, Ps256, Ps384,
                                    Ps512, Es256, Es384, Es512, EdDsa};
constexpr std::array kTypes = {KeyType::Rsa,  KeyType::P256,    KeyType::P384,
                               KeyType::P521, KeyType::Ed25519, KeyType::Ed448};

JsonWebKey key_of(std::string_view jwk) {
  const auto object = json::parse(jwk);
  auto key = parse_json_web_key(object->get_object());
  EXPECT_TRUE(key) << key.error().message;
  return *std::move(key);
}

struct Example {
  const char* source;
  SigningAlgorithm algorithm;
  std::string_view jwk;
  std::string_view compact;
};

constexpr Example kExamples[] = {
    {"RFC 7515 A.2", Rs256, kRfc7515A2Key, kRfc7515A2Token},
    {"RFC 7515 A.3", Es256, kRfc7515A3Key, kRfc7515A3Token},
    {"RFC 7515 A.4", Es512, kRfc7515A4Key, kRfc7515A4Token},
    {"RFC 7520 4.1", Rs256, kHobbitonRsaKey, kRfc7520Section41Token},
    {"RFC 7520 4.2", Ps384, kHobbitonRsaKey, kRfc7520Section42Token},
    {"RFC 7520 4.3", Es512, kRfc7520Section43Key, kRfc7520Section43Token},
    {"RFC 8037 A.4", EdDsa, kRfc8037A4Key, kRfc8037A4Token},
};

TEST(Signature, ExamplesOfTheRfcsVerify) {
  for (const Example& example : kExamples) {
    SCOPED_TRACE(example.source);
    const std::size_t dot = example.compact.rfind('.');
    const std::string signature = base64url_decode(example.compact.substr(dot + 1)).value();
    std::string text(example.compact.substr(0, dot));
    EXPECT_TRUE(verify_signature(key_of(example.jwk), example.algorithm, text, signature));

    text.back() ^= 1;
    EXPECT_FALSE(verify_signature(key_of(example.jwk), example.algorithm, text, signature));
  }
}

TEST(Signature, EachAlgorithmVerifiesWithItsOwnTypeOfKeyAndNoOther) {
  for (const KeyType type : kTypes) {
    const JsonWebKey key = key_of(TestKey::of(type).jwk());
    for (const SigningAlgorithm signer : kAlgorithms) {
      if (!fits(signer, type)) continue;
      const std::string signature = TestKey::of(type).sign(signer, "text");
      for (const SigningAlgorithm algorithm : kAlgorithms) {
        EXPECT_EQ(verify_signature(key, algorithm, "text", signature), algorithm == signer)
            << to_string(signer) << " as " << to_string(algorithm);
      }
    }
  }
}

TEST(Signature, AnotherKeyOfTheTypeDoesNotVerify) {
  for (const KeyType type : kTypes) {
    const JsonWebKey key = key_of(TestKey::other(type).jwk());
    for (const SigningAlgorithm algorithm : kAlgorithms) {
      if (!fits(algorithm, type)) continue;
      EXPECT_FALSE(
          verify_signature(key, algorithm, "text", TestKey::of(type).sign(algorithm, "text")));
    }
  }
}

TEST(Signature, AlgOfTheKeyIsPinned) {
  const TestKey& rsa = TestKey::of(KeyType::Rsa);
  const JsonWebKey key = key_of(rsa.jwk(R"("alg":"RS512")"));
  EXPECT_TRUE(verify_signature(key, Rs512, "text", rsa.sign(Rs512, "text")));
  EXPECT_FALSE(verify_signature(key, Rs256, "text", rsa.sign(Rs256, "text")));
  EXPECT_FALSE(verify_signature(key, Ps512, "text", rsa.sign(Ps512, "text")));
}

TEST(Signature, EveryOtherLengthIsRefused) {
  for (const KeyType type : kTypes) {
    const JsonWebKey key = key_of(TestKey::of(type).jwk());
    for (const SigningAlgorithm algorithm : kAlgorithms) {
      if (!fits(algorithm, type)) continue;
      const std::string signature = TestKey::of(type).sign(algorithm, "text");
      for (std::size_t size = 0; size < signature.size(); ++size) {
        EXPECT_FALSE(verify_signature(key, algorithm, "text", signature.substr(0, size)));
      }
      EXPECT_FALSE(verify_signature(key, algorithm, "text", signature + '\0'));
      EXPECT_FALSE(verify_signature(key, algorithm, "text", '\0' + signature));
    }
  }
}

TEST(Signature, FlippedBitsAreRefused) {
  for (const KeyType type : {KeyType::P256, KeyType::Ed25519}) {
    const SigningAlgorithm algorithm = type == KeyType::P256 ? Es256 : EdDsa;
    const JsonWebKey key = key_of(TestKey::of(type).jwk());
    const std::string signature = TestKey::of(type).sign(algorithm, "text");
    for (std::size_t i = 0; i < signature.size(); ++i) {
      std::string flipped = signature;
      flipped[i] ^= 0x10;
      EXPECT_FALSE(verify_signature(key, algorithm, "text", flipped)) << i;
    }
  }
}

TEST(Signature, EcdsaZeroAndOrderAreRefused) {
  const JsonWebKey key = key_of(TestKey::of(KeyType::P256).jwk());
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\x01';
  const std::string order =  // of P-256
      "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"s;
  for (const std::string& r : {zero, one, order}) {
    for (const std::string& s : {zero, one, order}) {
      EXPECT_FALSE(verify_signature(key, Es256, "text", r + s));
    }
  }
}

TEST(Signature, EcdsaInDerIsRefused) {
  const JsonWebKey key = key_of(TestKey::of(KeyType::P256).jwk());
  EXPECT_FALSE(
      verify_signature(key, Es256, "text", TestKey::of(KeyType::P256).sign_der(Es256, "text")));
}

}  // namespace
}  // namespace sluice::auth
