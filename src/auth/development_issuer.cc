#include "auth/development_issuer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "auth/openssl.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"

namespace sluice::auth {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 16 << 10;
constexpr std::size_t kCoordinateBytes = 32;
constexpr const char* kGroup = "prime256v1";

using OpensslBio = std::unique_ptr<BIO, OpensslDelete<BIO_free>>;

std::string key_path(const std::string& state_dir) { return state_dir + "/development-key.pem"; }

std::unexpected<Error> key_error(ErrorCode code, const std::string& path,
                                 std::string_view problem) {
  ERR_clear_error();
  return fail(code, fmt::format("development key {}: {}", path, problem));
}

Result<> check_mode(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};  // the read that follows says why
  if ((status.st_mode & 077) == 0) return {};
  return key_error(
      ErrorCode::InvalidArgument, path,
      fmt::format("others can read it (mode {:04o}), so its tokens prove nothing; delete "
                  "it, or chmod 600 it if nobody has",
                  status.st_mode & 07777));
}

/// nullopt when there is no such file.
Result<std::optional<EvpKey>> load_key(const std::string& path) {
  TRY_VOID(check_mode(path));
  const auto text = read_file(path, kMaxKeyFileBytes);
  if (!text && text.error().code == ErrorCode::NotFound) return std::nullopt;
  if (!text) return key_error(ErrorCode::Unavailable, path, text.error().message);
  const OpensslBio bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  // The callback refuses to ask for a passphrase on the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  EvpKey key = own_key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  std::array<char, 32> group{};
  const bool fits = key &&
                    EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) == 1 &&
                    std::string_view(group.data()) == kGroup;
  if (!fits) {
    return key_error(ErrorCode::InvalidArgument, path, "not a P-256 private key in PEM; delete it");
  }
  return key;
}

Result<std::string> private_pem(EVP_PKEY* key) {
  const OpensslBio bio(BIO_new(BIO_s_mem()));
  char* data = nullptr;
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::Internal, "the development key can't be encoded");
  }
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

/// Makes the file with a new key unless another process was faster: link(2) never replaces.
Result<> make_key_file(const std::string& state_dir) {
  const std::string path = key_path(state_dir);
  std::error_code error;
  std::filesystem::create_directories(state_dir, error);
  if (error) return key_error(ErrorCode::Unavailable, path, error.message());
  const EvpKey key = own_key(EVP_EC_gen(kGroup));
  if (!key) return key_error(ErrorCode::Internal, path, "OpenSSL can't make one");
  TRY(const std::string pem, private_pem(key.get()));
  const std::string temporary = fmt::format("{}.{}", path, ::getpid());
  if (auto written = write_file_atomically(temporary, pem, 0600); !written) {
    return key_error(ErrorCode::Unavailable, path, written.error().message);
  }
  const bool linked = ::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST;
  const int problem = errno;
  ::unlink(temporary.c_str());
  if (!linked) {
    return key_error(ErrorCode::Unavailable, path, std::generic_category().message(problem));
  }
  return {};
}

std::string coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  const OpensslBignum owned(number);
  std::array<unsigned char, kCoordinateBytes> bytes{};
  BN_bn2binpad(number, bytes.data(), kCoordinateBytes);
  return base64url_encode(std::as_bytes(std::span(bytes)));
}

/// The public key with the members, and in the order, that a thumbprint is made of (RFC 7638 3.2).
std::string public_jwk(EVP_PKEY* key) {
  return fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})",
                     coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X),
                     coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y));
}

std::string thumbprint(std::string_view jwk) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(as_unsigned(jwk), jwk.size(), hash.data());
  return base64url_encode(std::as_bytes(std::span(hash)));
}

/// ES256: r and s of 32 bytes each (RFC 7518 3.4).
Result<std::string> sign_es256(EVP_PKEY* key, std::string_view text) {
  const OpensslDigestContext context(EVP_MD_CTX_new());
  std::array<unsigned char, 128> der{};
  std::size_t der_bytes = der.size();
  const bool is_signed =
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestSign(context.get(), der.data(), &der_bytes, as_unsigned(text), text.size()) == 1;
  ERR_clear_error();
  if (!is_signed) return fail(ErrorCode::Internal, "the token can't be signed");
  const unsigned char* position = der.data();
  const OpensslEcdsaSignature numbers(
      d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(der_bytes)));
  std::array<unsigned char, 2 * kCoordinateBytes> raw{};
  BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), raw.data(), kCoordinateBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), raw.data() + kCoordinateBytes, kCoordinateBytes);
  return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
}

}  // namespace

DevelopmentIssuer::DevelopmentIssuer(EvpKey key)
    : private_key_(std::move(key)),
      public_jwk_(public_jwk(private_key_.get())),
      key_id_(thumbprint(public_jwk_)) {}

Result<DevelopmentIssuer> DevelopmentIssuer::open(const std::string& state_dir) {
  const std::string path = key_path(state_dir);
  TRY(std::optional<EvpKey> key, load_key(path));
  if (!key) {
    TRY_VOID(make_key_file(state_dir));
    TRY(key, load_key(path));
  }
  if (!key) return key_error(ErrorCode::Unavailable, path, "it vanished");
  return DevelopmentIssuer(*std::move(key));
}

Result<> DevelopmentIssuer::check(const std::string& state_dir) {
  TRY_VOID(load_key(key_path(state_dir)));
  return {};
}

Result<std::string> DevelopmentIssuer::sign(const Caller& caller, WallTime now,
                                            Random& random) const {
  const auto whole_seconds = [](WallTime time) {
    return std::chrono::floor<seconds>(time).time_since_epoch().count();
  };
  std::array<std::byte, 16> id{};
  random.fill(id);
  json::array groups;
  for (const std::string& group : caller.groups) groups.emplace_back(group);
  const json::object header{{"alg", "ES256"}, {"kid", key_id_}, {"typ", "JWT"}};
  const json::object claims{{"iss", kDevelopmentIssuer},
                            {"sub", caller.user},
                            {"groups", groups},
                            {"iat", whole_seconds(now)},
                            {"exp", whole_seconds(caller.expires_at)},
                            {"jti", base64url_encode(id)}};
  std::string token = base64url_encode(as_bytes(json::serialize(header))) + '.' +
                      base64url_encode(as_bytes(json::serialize(claims)));
  TRY(const std::string signature, sign_es256(private_key_.get(), token));
  token += '.';
  token += base64url_encode(as_bytes(signature));
  return token;
}

std::string DevelopmentIssuer::jwk_set() const {
  // The key with what a verifier pins: the members go before the last brace.
  return fmt::format(R"({{"keys":[{},"kid":"{}","use":"sig","alg":"ES256"}}]}})",
                     std::string_view(public_jwk_).substr(0, public_jwk_.size() - 1), key_id_);
}

}  // namespace sluice::auth
