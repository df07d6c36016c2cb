#include "auth/signature.h"

#include <array>

#include <gtest/gtest.h>

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
  const char* jwk;
  const char* compact;
};

constexpr const char* kBilboRsa =
    R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","e":"AQAB","n":"n4EPtAOCc9AlkeQ)"
    "HPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_"
    "AJmSCpMaJMRBSFKrKb2wqVwGU"
    "_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-"
    "OfVfHd1E6cS6M1FZcD1NNLYD5lFHp"
    "PI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_"
    "qixoR7jig"
    R"(3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"})";

constexpr Example kExamples[] = {
    {"RFC 7515 A.2", Rs256,
     R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2)"
     "mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
     "bSf63kpaSHSX"
     "ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_"
     "I5IhlJH7aGhy"
     R"(xXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})",
     "eyJhbGciOiJSUzI1NiJ9."
     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p"
     "c19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-"
     "0Qc_l"
     "F5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
     "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSj"
     "tQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
     "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9Q"
     "OYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"RFC 7515 A.3", Es256,
     R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
     R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     "eyJhbGciOiJFUzI1NiJ9."
     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p"
     "c19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-"
     "F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
     "Kg6NU1Q"},
    {"RFC 7515 A.4", Es512,
     R"({"kty":"EC","crv":"P-521",)"
     R"("x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",)"
     R"("y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})",
     "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-"
     "mZZqwq"
     "T2SI-KGDKB34XO0aw_"
     "7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXuk"
     "OXolLzeO_Jn"},
    {"RFC 7520 4.1", Rs256, kBilboRsa,
     "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
     "SXTigJlzIGEgZGFuZ2Vyb3Vz"
     "IGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmI"
     "HlvdS"
     "Bkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9"
     "mZiB0"
     "by4.MRjdkly7_-"
     "oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII"
     "7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_"
     "qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9e"
     "Ro4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-"
     "ZnmKJ3F4uO"
     "ZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"},
    {"RFC 7520 4.2", Ps384, kBilboRsa,
     "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
     "SXTigJlzIGEgZGFuZ2Vyb3Vz"
     "IGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmI"
     "HlvdS"
     "Bkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9"
     "mZiB0"
     "by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-"
     "tPid6VrklHkqsGqDqHCdP6O8TTB5"
     "dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-"
     "UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ij"
     "Q7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_"
     "jLAeQTlqRHtfa64QQSUmFAAjVK"
     "PbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"},
    {"RFC 7520 4.3", Es512,
     R"({"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521",)"
     R"("x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",)"
     R"("y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"})",
     "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
     "SXTigJlzIGEgZGFuZ2Vyb3Vz"
     "IGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmI"
     "HlvdS"
     "Bkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9"
     "mZiB0"
     "by4.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-"
     "JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mt"
     "PBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"},
    {"RFC 8037 A.4", EdDsa,
     R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
     "09PGcvMg3AIb"
     "QR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
};

TEST(Signature, ExamplesOfTheRfcsVerify) {
  for (const Example& example : kExamples) {
    SCOPED_TRACE(example.source);
    const std::string_view compact = example.compact;
    const std::size_t dot = compact.rfind('.');
    const std::string signature = base64url_decode(compact.substr(dot + 1)).value();
    std::string text(compact.substr(0, dot));
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
