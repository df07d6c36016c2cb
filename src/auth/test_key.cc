#include "auth/test_key.h"

#include <array>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth/openssl.h"
#include "base/base64.h"

namespace sluice::auth {
namespace {

std::string number(EVP_PKEY* key, const char* name, int bytes) {
  BIGNUM* big = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &big) != 1) std::abort();
  const OpensslBignum owned(big);
  std::string text(static_cast<std::size_t>(bytes == 0 ? BN_num_bytes(big) : bytes), '\0');
  BN_bn2binpad(big, reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(text.size()));
  return base64url_encode(as_bytes(text));
}

std::string raw_public(EVP_PKEY* key) {
  std::array<unsigned char, 64> bytes{};
  std::size_t size = bytes.size();
  EVP_PKEY_get_raw_public_key(key, bytes.data(), &size);
  return base64url_encode(std::as_bytes(std::span(bytes).first(size)));
}

std::string ec_jwk(EVP_PKEY* key, std::string_view curve, int bytes) {
  return fmt::format(R"("kty":"EC","crv":"{}","x":"{}","y":"{}")", curve,
                     number(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes),
                     number(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes));
}

const EVP_MD* digest_of(SigningAlgorithm algorithm) {
  if (algorithm == SigningAlgorithm::EdDsa) return nullptr;
  const std::string_view name = to_string(algorithm);
  if (name.ends_with("256")) return EVP_sha256();
  return name.ends_with("384") ? EVP_sha384() : EVP_sha512();
}

}  // namespace

TestKey TestKey::make(KeyType type) {
  EVP_PKEY* key = nullptr;
  switch (type) {
    case KeyType::Rsa: key = EVP_RSA_gen(2048); break;
    case KeyType::P256: key = EVP_EC_gen("P-256"); break;
    case KeyType::P384: key = EVP_EC_gen("P-384"); break;
    case KeyType::P521: key = EVP_EC_gen("P-521"); break;
    case KeyType::Ed25519: key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"); break;
    case KeyType::Ed448: key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"); break;
  }
  if (key == nullptr) std::abort();
  return TestKey(type, own_key(key));
}

const TestKey& TestKey::of(KeyType type) {
  static const std::array keys = {make(KeyType::Rsa),     make(KeyType::P256),
                                  make(KeyType::P384),    make(KeyType::P521),
                                  make(KeyType::Ed25519), make(KeyType::Ed448)};
  return keys[static_cast<std::size_t>(std::to_underlying(type))];
}

const TestKey& TestKey::other(KeyType type) {
  static const std::array keys = {make(KeyType::Rsa),     make(KeyType::P256),
                                  make(KeyType::P384),    make(KeyType::P521),
                                  make(KeyType::Ed25519), make(KeyType::Ed448)};
  return keys[static_cast<std::size_t>(std::to_underlying(type))];
}

std::string TestKey::jwk(std::string_view more) const {
  EVP_PKEY* const key = key_.get();
  std::string members;
  switch (type_) {
    case KeyType::Rsa:
      members =
          fmt::format(R"("kty":"RSA","n":"{}","e":"{}")", number(key, OSSL_PKEY_PARAM_RSA_N, 0),
                      number(key, OSSL_PKEY_PARAM_RSA_E, 0));
      break;
    case KeyType::P256: members = ec_jwk(key, "P-256", 32); break;
    case KeyType::P384: members = ec_jwk(key, "P-384", 48); break;
    case KeyType::P521: members = ec_jwk(key, "P-521", 66); break;
    case KeyType::Ed25519:
      members = fmt::format(R"("kty":"OKP","crv":"Ed25519","x":"{}")", raw_public(key));
      break;
    case KeyType::Ed448:
      members = fmt::format(R"("kty":"OKP","crv":"Ed448","x":"{}")", raw_public(key));
      break;
  }
  return fmt::format("{{{}{}{}}}", members, more.empty() ? "" : ",", more);
}

std::string TestKey::sign_der(SigningAlgorithm algorithm, std::string_view text) const {
  const OpensslDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  if (EVP_DigestSignInit(context.get(), &key_context, digest_of(algorithm), nullptr, key_.get()) !=
      1) {
    std::abort();
  }
  if (to_string(algorithm).starts_with("PS")) {
    EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST);
  }
  std::string signature(1024, '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     as_unsigned(text), text.size()) != 1) {
    std::abort();
  }
  signature.resize(size);
  return signature;
}

std::string TestKey::sign(SigningAlgorithm algorithm, std::string_view text) const {
  const std::string der = sign_der(algorithm, text);
  if (type_ != KeyType::P256 && type_ != KeyType::P384 && type_ != KeyType::P521) return der;
  const unsigned char* position = as_unsigned(der);
  const OpensslEcdsaSignature numbers(
      d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(der.size())));
  const int bytes = type_ == KeyType::P256 ? 32 : type_ == KeyType::P384 ? 48 : 66;
  std::string raw(static_cast<std::size_t>(2 * bytes), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), out, bytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), out + bytes, bytes);
  return raw;
}

std::string TestKey::public_pem() const {
  const std::unique_ptr<BIO, OpensslDelete<BIO_free>> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(bio.get(), key_.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string jwk_set_of(std::string_view first, std::string_view second) {
  return fmt::format(R"({{"keys":[{}{}{}]}})", first, second.empty() ? "" : ",", second);
}

std::string token_of(const TestKey& key, SigningAlgorithm algorithm, std::string_view header,
                     std::string_view claims) {
  const std::string text =
      base64url_encode(as_bytes(header)) + '.' + base64url_encode(as_bytes(claims));
  return text + '.' + base64url_encode(as_bytes(key.sign(algorithm, text)));
}

}  // namespace sluice::auth
