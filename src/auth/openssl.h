// Owners for the OpenSSL objects that this module uses. Included by its sources only.
#pragma once

#include <memory>
#include <string_view>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

namespace sluice::auth {

template <auto kFree>
struct OpensslDelete {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using OpensslBignum = std::unique_ptr<BIGNUM, OpensslDelete<BN_free>>;
using OpensslEcdsaSignature = std::unique_ptr<ECDSA_SIG, OpensslDelete<ECDSA_SIG_free>>;
using OpensslDigestContext = std::unique_ptr<EVP_MD_CTX, OpensslDelete<EVP_MD_CTX_free>>;
using OpensslKeyContext = std::unique_ptr<EVP_PKEY_CTX, OpensslDelete<EVP_PKEY_CTX_free>>;
using OpensslParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, OpensslDelete<OSSL_PARAM_BLD_free>>;
using OpensslParams = std::unique_ptr<OSSL_PARAM, OpensslDelete<OSSL_PARAM_free>>;

inline const unsigned char* as_unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace sluice::auth
