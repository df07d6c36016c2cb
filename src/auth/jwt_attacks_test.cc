// Attacks on signatures and keys: RFC 8725 3.1 to 3.5.
#include <openssl/hmac.h>

#include "auth/jwt_attacks_test_support.h"
#include "auth/openssl.h"

namespace sluice::auth {
namespace {

using enum SigningAlgorithm;
using Rfc8725_3_1_AlgorithmVerification = JwtAttacks;
using Rfc8725_3_2_AppropriateAlgorithms = JwtAttacks;
using Rfc8725_3_3_CryptographicOperations = JwtAttacks;
using Rfc8725_3_4_CryptographicInputs = JwtAttacks;
using Rfc8725_3_5_KeyEntropy = JwtAttacks;

std::string hmac_token(std::string_view header, std::string_view claims, std::string_view secret,
                       const EVP_MD* digest) {
  std::string text = part(header) + '.' + part(claims);
  unsigned char code[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(digest, secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), code, &size);
  return text + '.' + base64url_encode(std::as_bytes(std::span(code, size)));
}

OpensslBignum number_of(std::string_view bytes) {
  return OpensslBignum(BN_bin2bn(as_unsigned(bytes), static_cast<int>(bytes.size()), nullptr));
}

OpensslBignum hex_number(const char* hex) {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, hex);
  return OpensslBignum(number);
}

/// In `size` bytes; empty if it doesn't fit.
std::string bytes_of(const OpensslBignum& number, std::size_t size) {
  std::string bytes(size, '\0');
  const int written = BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                                   static_cast<int>(size));
  return written < 0 ? std::string() : bytes;
}

std::string sum(std::string_view one, const OpensslBignum& other) {
  const OpensslBignum total = number_of(one);
  BN_add(total.get(), total.get(), other.get());
  return bytes_of(total, one.size());
}

std::string member(const std::string& jwk, std::string_view name) {
  const auto object = json::parse(jwk);
  return *base64url_decode(*json::find_string(object->get_object(), name));
}

TEST_F(Rfc8725_3_1_AlgorithmVerification, TheGenuineTokensAreAccepted) {
  expect_alice(valid());
  expect_alice(with_header(R"({"alg":"RS256","kid":"rsa"})", rsa_, Rs256));
  expect_alice(with_header(R"({"alg":"PS512","kid":"rsa"})", rsa_, Ps512));
  expect_alice(with_header(R"({"alg":"ES512","kid":"p521"})", TestKey::of(KeyType::P521), Es512));
  expect_alice(with_header(R"({"alg":"EdDSA","kid":"ed"})", TestKey::of(KeyType::Ed25519), EdDsa));
}

TEST_F(Rfc8725_3_1_AlgorithmVerification, AlgNoneInAllSpellings) {
  std::vector<std::string> spellings = {"", "none ", " none", "none\\u0000", "n\\u006fne", "nоne"};
  for (unsigned upper = 0; upper < 16; ++upper) {
    std::string name = "none";
    for (unsigned i = 0; i < 4; ++i) {
      if ((upper >> i & 1) != 0) name[i] = static_cast<char>(name[i] - 'a' + 'A');
    }
    spellings.push_back(name);
  }
  for (const std::string& name : spellings) {
    const std::string text =
        part(fmt::format(R"({{"alg":"{}","kid":"ec"}})", name)) + '.' + part(claims());
    expect_refused(text + '.');
    expect_refused(text);
    expect_refused(text + valid().substr(valid().rfind('.')));
  }
}

TEST_F(Rfc8725_3_1_AlgorithmVerification, HmacWithThePublicKeyAsSecret) {
  const std::string jwk = rsa_.jwk(R"("kid":"rsa")");
  for (const std::string& secret : {rsa_.public_pem(), ec_.public_pem(), jwk, std::string()}) {
    for (const char* name : {"HS256", "HS384", "HS512", "RS256", "ES256"}) {
      const EVP_MD* digest = std::string_view(name).ends_with("384")   ? EVP_sha384()
                             : std::string_view(name).ends_with("512") ? EVP_sha512()
                                                                       : EVP_sha256();
      expect_refused(
          hmac_token(fmt::format(R"({{"alg":"{}","kid":"rsa"}})", name), claims(), secret, digest));
      expect_refused(hmac_token(fmt::format(R"({{"alg":"{}"}})", name), claims(), secret, digest));
    }
  }
}

TEST_F(Rfc8725_3_1_AlgorithmVerification, AlgorithmOfAnotherKeyType) {
  expect_refused(with_header(R"({"alg":"RS256","kid":"ec"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"rsa"})", rsa_, Rs256));
  expect_refused(with_header(R"({"alg":"ES384","kid":"ec"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"EdDSA","kid":"ec"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"RS512","kid":"rsa"})", rsa_, Rs256));
  expect_refused(with_header(R"({"alg":"PS256","kid":"rsa"})", rsa_, Rs256));
  expect_refused(with_header(R"({"alg":"RS256","kid":"rsa"})", rsa_, Ps256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"p521"})", ec_, Es256));
}

TEST_F(Rfc8725_3_1_AlgorithmVerification, KeyOfAnotherCurve) {
  const TestKey& p384 = TestKey::of(KeyType::P384);
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec"})", p384, Es384));
  expect_refused(with_header(R"({"alg":"ES384"})", p384, Es384));
}

TEST_F(Rfc8725_3_1_AlgorithmVerification, CriticalHeader) {
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec","crit":["exp"],"exp":0})", ec_, Es256));
  expect_refused(
      with_header(R"({"alg":"ES256","kid":"ec","crit":["b64"],"b64":false})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec","b64":false})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec","crit":[]})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec","crit":"x"})", ec_, Es256));
  expect_refused(with_header(R"({"alg":"ES256","kid":"ec","crit":null})", ec_, Es256));
}

TEST_F(Rfc8725_3_1_AlgorithmVerification, UnencodedPayload) {
  const std::string text = part(R"({"alg":"ES256","kid":"ec","b64":false})") + '.' + claims();
  expect_refused(text + '.' + part(ec_.sign(Es256, text)));
}

TEST_F(Rfc8725_3_2_AppropriateAlgorithms, WeakOrSymmetricOnesAreNotAccepted) {
  for (const char* name : {"HS256", "HS384", "HS512", "RS1", "ES256K", "RSA1_5", "dir", "A128KW"}) {
    expect_refused(with_header(fmt::format(R"({{"alg":"{}","kid":"ec"}})", name), ec_, Es256));
    expect_refused(with_header(fmt::format(R"({{"alg":"{}","kid":"rsa"}})", name), rsa_, Rs256));
  }
}

TEST_F(Rfc8725_3_3_CryptographicOperations, SignatureStripped) {
  const std::string token = valid();
  expect_refused(token.substr(0, token.rfind('.') + 1));
  expect_refused(token.substr(0, token.rfind('.')));
}

TEST_F(Rfc8725_3_3_CryptographicOperations, SignatureTruncatedAnywhere) {
  const std::string token = valid();
  for (std::size_t size = 0; size < token.size(); ++size) expect_refused(token.substr(0, size));
}

TEST_F(Rfc8725_3_3_CryptographicOperations, SignatureInDerForm) {
  const std::string text = part(R"({"alg":"ES256","kid":"ec"})") + '.' + part(claims());
  expect_refused(text + '.' + part(ec_.sign_der(Es256, text)));
}

TEST_F(Rfc8725_3_3_CryptographicOperations, SignatureOfAnotherToken) {
  const std::string other = with_claims(claims(R"("groups":["a"])"));
  expect_refused(other.substr(0, other.rfind('.')) + valid().substr(valid().rfind('.')));
}

TEST_F(Rfc8725_3_3_CryptographicOperations, ClaimsChangedAfterSigning) {
  const std::string token = valid();
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  std::string changed = claims();
  changed.replace(changed.find("alice"), 5, "admin");
  expect_refused(token.substr(0, first + 1) + part(changed) + token.substr(last));
}

TEST_F(Rfc8725_3_3_CryptographicOperations, NestedToken) {
  const std::string header = R"({"alg":"ES256","kid":"ec","cty":"JWT"})";
  expect_refused(token_of(ec_, Es256, header, valid()));
  expect_refused(token_of(ec_, Es256, header, '"' + valid() + '"'));
}

/// A signature has one text only, so what was verified once is known by its hash. Of ECDSA it has
/// two, r and either s or its negative, by the algorithm: they say the same of the same caller.
TEST_F(Rfc8725_3_3_CryptographicOperations, SignatureMalleability) {
  const OpensslBignum p256_order =
      hex_number("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
  const std::string text = part(R"({"alg":"ES256","kid":"ec"})") + '.' + part(claims());
  const std::string signature = ec_.sign(Es256, text);
  const OpensslBignum negative = number_of(signature.substr(32));
  BN_sub(negative.get(), p256_order.get(), negative.get());
  expect_alice(text + '.' + part(signature.substr(0, 32) + bytes_of(negative, 32)));
  expect_refused(text + '.' + part(signature.substr(32) + signature.substr(0, 32)));

  const OpensslBignum p521_order = hex_number(
      "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA"
      "51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409");
  const std::string long_text = part(R"({"alg":"ES512","kid":"p521"})") + '.' + part(claims());
  const std::string rs = TestKey::of(KeyType::P521).sign(Es512, long_text);
  expect_refused(long_text + '.' + part(sum(rs.substr(0, 66), p521_order) + rs.substr(66)));
  expect_refused(long_text + '.' + part(rs.substr(0, 66) + sum(rs.substr(66), p521_order)));
}

TEST_F(Rfc8725_3_3_CryptographicOperations, EdDsaSignatureBeyondTheOrder) {
  const OpensslBignum order =
      hex_number("1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED");
  const std::string text = part(R"({"alg":"EdDSA","kid":"ed"})") + '.' + part(claims());
  const std::string signature = TestKey::of(KeyType::Ed25519).sign(EdDsa, text);
  const std::string reversed(signature.rbegin(), signature.rbegin() + 32);  // S is little-endian
  const std::string beyond = sum(reversed, order);
  expect_refused(text + '.' +
                 part(signature.substr(0, 32) + std::string(beyond.rbegin(), beyond.rend())));
}

TEST_F(Rfc8725_3_3_CryptographicOperations, RsaSignatureBeyondTheModulus) {
  const OpensslBignum modulus = number_of(member(rsa_.jwk(), "n"));
  std::string beyond;
  std::string text;
  for (int i = 0; beyond.empty() && i < 100; ++i) {  // one that fits into the key's bytes
    text = part(R"({"alg":"RS256","kid":"rsa"})") + '.' +
           part(claims(fmt::format(R"("jti":"{}")", i)));
    beyond = sum(rsa_.sign(Rs256, text), modulus);
  }
  if (!beyond.empty()) expect_refused(text + '.' + part(beyond));
}

TEST_F(Rfc8725_3_3_CryptographicOperations, TrailingBitsOfTheSignature) {
  // 64 bytes end in a character of which four bits count: another one would be the same signature.
  std::string token = valid();
  const std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  token.back() = alphabet[alphabet.find(token.back()) + 1];
  expect_refused(token);
}

TEST_F(Rfc8725_3_4_CryptographicInputs, ZeroSignature) {  // CVE-2022-21449
  const std::string genuine = valid();
  const std::string text = genuine.substr(0, genuine.rfind('.'));
  const std::string rs = *base64url_decode(genuine.substr(genuine.rfind('.') + 1));
  const std::string zero(32, '\0');
  expect_refused(text + '.' + part(zero + zero));
  expect_refused(text + '.' + part(rs.substr(0, 32) + zero));
  expect_refused(text + '.' + part(zero + rs.substr(32)));
}

TEST_F(Rfc8725_3_4_CryptographicInputs, InvalidPointsAreNoKeys) {
  const TestKey& p521 = TestKey::of(KeyType::P521);
  const OpensslBignum p = hex_number(
      "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
  const std::string x = member(p521.jwk(), "x");
  const std::string y = member(p521.jwk(), "y");
  const std::string zero(66, '\0');
  const std::pair<std::string, std::string> points[] = {
      {zero, zero}, {x, zero}, {zero, y}, {y, x}, {sum(x, p), y}, {x, sum(y, p)}};
  for (const auto& [px, py] : points) {
    const auto set = JwkSet::parse(fmt::format(
        R"({{"keys":[{{"kty":"EC","crv":"P-521","x":"{}","y":"{}"}}]}})", part(px), part(py)));
    EXPECT_FALSE(set);
  }
}

TEST_F(Rfc8725_3_5_KeyEntropy, WeakKeysOfAnIssuerAreNotUsed) {
  const std::string modulus = '\xff' + std::string(126, '\x01') + '\xff';  // of 1024 bits
  const std::string rsa =
      fmt::format(R"({{"kty":"RSA","n":"{}","e":"AQAB","kid":"weak"}})", part(modulus));
  for (const std::string& weak :
       {rsa, std::string(R"({"kty":"oct","k":"c2VjcmV0","kid":"weak","alg":"HS256"})"),
        std::string(R"({"kty":"oct","k":"","kid":"weak"})")}) {
    const auto set = JwkSet::parse(jwk_set_of(weak, ec_.jwk(R"("kid":"ec")")));
    ASSERT_TRUE(set);
    EXPECT_EQ(set->size(), 1U);
    EXPECT_FALSE(set->has_key("weak"));
  }
}

TEST_F(Rfc8725_3_5_KeyEntropy, HmacWithAGuessableSecret) {
  for (const char* secret : {"", "secret", "password", "changeme", "sluice", "\0"}) {
    expect_refused(hmac_token(R"({"alg":"HS256"})", claims(), secret, EVP_sha256()));
  }
}

}  // namespace
}  // namespace sluice::auth
