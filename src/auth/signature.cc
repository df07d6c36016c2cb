#include "auth/signature.h"

#include <optional>
#include <string>
#include <utility>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "auth/openssl.h"

namespace sluice::auth {
namespace {

enum class Scheme { Pkcs1, Pss, Ecdsa, EdDsa };

struct Parameters {
  Scheme scheme;
  const EVP_MD* digest;            // none for EdDSA, which hashes by itself
  std::size_t ecdsa_number_bytes;  // of r and of s each
};

Parameters parameters_of(SigningAlgorithm algorithm) {
  switch (algorithm) {
    case SigningAlgorithm::Rs256: return {Scheme::Pkcs1, EVP_sha256(), 0};
    case SigningAlgorithm::Rs384: return {Scheme::Pkcs1, EVP_sha384(), 0};
    case SigningAlgorithm::Rs512: return {Scheme::Pkcs1, EVP_sha512(), 0};
    case SigningAlgorithm::Ps256: return {Scheme::Pss, EVP_sha256(), 0};
    case SigningAlgorithm::Ps384: return {Scheme::Pss, EVP_sha384(), 0};
    case SigningAlgorithm::Ps512: return {Scheme::Pss, EVP_sha512(), 0};
    case SigningAlgorithm::Es256: return {Scheme::Ecdsa, EVP_sha256(), 32};
    case SigningAlgorithm::Es384: return {Scheme::Ecdsa, EVP_sha384(), 48};
    case SigningAlgorithm::Es512: return {Scheme::Ecdsa, EVP_sha512(), 66};
    case SigningAlgorithm::EdDsa: return {Scheme::EdDsa, nullptr, 0};
  }
  std::unreachable();
}

/// r and s, each of exactly `number_bytes` (RFC 7518 3.4), as the DER that OpenSSL takes.
std::optional<std::string> ecdsa_to_der(std::string_view signature, std::size_t number_bytes) {
  if (signature.size() != 2 * number_bytes) return std::nullopt;
  const int size = static_cast<int>(number_bytes);
  OpensslBignum r(BN_bin2bn(as_unsigned(signature), size, nullptr));
  OpensslBignum s(BN_bin2bn(as_unsigned(signature.substr(number_bytes)), size, nullptr));
  const OpensslEcdsaSignature numbers(ECDSA_SIG_new());
  if (!r || !s || !numbers || BN_is_zero(r.get()) || BN_is_zero(s.get())) return std::nullopt;
  ECDSA_SIG_set0(numbers.get(), r.release(), s.release());
  unsigned char* der = nullptr;
  const int der_bytes = i2d_ECDSA_SIG(numbers.get(), &der);
  if (der_bytes <= 0) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(der_bytes));
  OPENSSL_free(der);
  return text;
}

bool verify(EVP_PKEY* key, const Parameters& parameters, std::string_view signed_text,
            std::string_view signature) {
  const OpensslDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  if (!context ||
      EVP_DigestVerifyInit(context.get(), &key_context, parameters.digest, nullptr, key) != 1) {
    return false;
  }
  if (parameters.scheme == Scheme::Pss &&  // salt as long as the digest, MGF1 with the same (3.5)
      (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, parameters.digest) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), as_unsigned(signature), signature.size(),
                          as_unsigned(signed_text), signed_text.size()) == 1;
}

}  // namespace

bool verify_signature(const JsonWebKey& key, SigningAlgorithm algorithm,
                      std::string_view signed_text, std::string_view signature) {
  if (!key.fits(algorithm)) return false;
  const Parameters parameters = parameters_of(algorithm);
  bool verified = false;
  if (parameters.scheme == Scheme::Ecdsa) {
    const auto der = ecdsa_to_der(signature, parameters.ecdsa_number_bytes);
    verified = der && verify(key.key.get(), parameters, signed_text, *der);
  } else if (signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(key.key.get()))) {
    verified = verify(key.key.get(), parameters, signed_text, signature);
  }
  ERR_clear_error();  // the queue is shared with TLS on this thread
  return verified;
}

}  // namespace sluice::auth
