#include "auth/json_web_key.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "auth/openssl.h"
#include "base/base64.h"

namespace sluice::auth {
namespace {

constexpr int kMinRsaBits = 2048;  // RFC 7518 3.3
constexpr int kMaxRsaBits = 8192;  // verifying with more costs milliseconds a token
constexpr std::size_t kMaxExponentBytes = 4;

struct Curve {
  std::string_view name;  // `crv`
  KeyType type;
  const char* group;  // OpenSSL's name; for OKP that of the key type
  std::size_t coordinate_bytes;
};

constexpr std::array kEcCurves = {
    Curve{"P-256", KeyType::P256, "prime256v1", 32},
    Curve{"P-384", KeyType::P384, "secp384r1", 48},
    Curve{"P-521", KeyType::P521, "secp521r1", 66},
};
constexpr std::array kOkpCurves = {
    Curve{"Ed25519", KeyType::Ed25519, "ED25519", 32},
    Curve{"Ed448", KeyType::Ed448, "ED448", 57},
};

struct TypedKey {
  KeyType type;
  EvpKey key;
};

std::unexpected<Error> unusable(std::string why) {
  return fail(ErrorCode::InvalidArgument, std::move(why));
}

/// A required member in base64url (RFC 7518 2).
Result<std::string> decoded_member(const json::object& object, std::string_view name) {
  const auto text = json::find_string(object, name);
  auto bytes = text ? base64url_decode(*text) : std::nullopt;
  if (!bytes || bytes->empty()) return unusable(fmt::format("\"{}\" is not base64url", name));
  return *std::move(bytes);
}

Result<EvpKey> key_from_data(const char* type, OSSL_PARAM_BLD* builder) {
  const OpensslParams params(OSSL_PARAM_BLD_to_param(builder));
  const OpensslKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const bool made = params && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) == 1;
  ERR_clear_error();  // the queue is shared with TLS on this thread
  if (!made) return unusable("not a valid public key");
  return own_key(key);
}

/// That the point lies on its curve, and in the right group (RFC 8725 3.4).
bool is_valid_point(EVP_PKEY* key) {
  const OpensslKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool valid = context && EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  return valid;
}

Result<TypedKey> parse_rsa(const json::object& object) {
  TRY(const std::string modulus, decoded_member(object, "n"));
  TRY(const std::string exponent, decoded_member(object, "e"));
  const OpensslBignum n(BN_bin2bn(as_unsigned(modulus), static_cast<int>(modulus.size()), nullptr));
  const OpensslBignum e(
      BN_bin2bn(as_unsigned(exponent), static_cast<int>(exponent.size()), nullptr));
  const int bits = BN_num_bits(n.get());
  if (!BN_is_odd(n.get())) return unusable("not a valid public key");
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    return unusable(fmt::format("an RSA key of {} bits; {} to {} are accepted", bits, kMinRsaBits,
                                kMaxRsaBits));
  }
  if (exponent.size() > kMaxExponentBytes || !BN_is_odd(e.get()) || BN_is_one(e.get())) {
    return unusable("an RSA key with an unusual exponent; use 65537");
  }
  const OpensslParamBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  TRY(EvpKey key, key_from_data("RSA", builder.get()));
  return TypedKey{KeyType::Rsa, std::move(key)};
}

template <std::size_t N>
Result<Curve> find_curve(const json::object& object, const std::array<Curve, N>& curves) {
  const auto name = json::find_string(object, "crv");
  const auto curve = std::ranges::find(curves, name.value_or(""), &Curve::name);
  if (curve == curves.end()) return unusable("a curve (\"crv\") that is not supported");
  return *curve;
}

Result<TypedKey> parse_ec(const json::object& object) {
  TRY(const Curve curve, find_curve(object, kEcCurves));
  TRY(const std::string x, decoded_member(object, "x"));
  TRY(const std::string y, decoded_member(object, "y"));
  if (x.size() != curve.coordinate_bytes || y.size() != curve.coordinate_bytes) {
    return unusable("EC coordinates of the wrong length");  // RFC 7518 6.2.1.2
  }
  const std::string point = '\x04' + x + y;  // SEC 1 2.3.3, uncompressed
  const OpensslParamBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  TRY(EvpKey key, key_from_data("EC", builder.get()));
  if (!is_valid_point(key.get())) return unusable("not a valid public key");
  return TypedKey{curve.type, std::move(key)};
}

Result<TypedKey> parse_okp(const json::object& object) {
  TRY(const Curve curve, find_curve(object, kOkpCurves));
  TRY(const std::string x, decoded_member(object, "x"));
  if (x.size() != curve.coordinate_bytes)
    return unusable("an Ed25519 or Ed448 key of the wrong length");
  EvpKey key = own_key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, curve.group, nullptr, as_unsigned(x), x.size()));
  ERR_clear_error();
  if (!key) return unusable("not a valid public key");
  return TypedKey{curve.type, std::move(key)};
}

Result<TypedKey> parse_key_material(const json::object& object) {
  const auto type = json::find_string(object, "kty");
  if (type == "RSA") return parse_rsa(object);
  if (type == "EC") return parse_ec(object);
  if (type == "OKP") return parse_okp(object);
  return unusable("a key type (\"kty\") that is not RSA, EC or OKP");
}

/// RFC 7517 4.2, 4.3: what the key is for, when it says so.
Result<> check_purpose(const json::object& object) {
  if (json::find(object, "use") != nullptr && json::find_string(object, "use") != "sig") {
    return unusable("a key that is not for signatures (\"use\")");
  }
  if (json::find(object, "key_ops") == nullptr) return {};
  const json::array* operations = json::find_array(object, "key_ops");
  const bool verifies =
      operations != nullptr && std::ranges::any_of(*operations, [](const auto& value) {
        return value.is_string() && value.get_string() == "verify";
      });
  if (!verifies) return unusable("a key that is not for verifying (\"key_ops\")");
  return {};
}

}  // namespace

EvpKey own_key(EVP_PKEY* key) { return EvpKey(key, EVP_PKEY_free); }

bool JsonWebKey::fits(SigningAlgorithm candidate) const {
  return auth::fits(candidate, type) && algorithm.value_or(candidate) == candidate;
}

Result<JsonWebKey> parse_json_web_key(const json::object& object) {
  TRY_VOID(check_purpose(object));
  std::optional<std::string> id;
  if (json::find(object, "kid") != nullptr) {
    id = json::find_string(object, "kid");
    if (!id) return unusable("\"kid\" is not a string");
  }
  std::optional<SigningAlgorithm> algorithm;
  if (json::find(object, "alg") != nullptr) {
    algorithm = parse_signing_algorithm(json::find_string(object, "alg").value_or(""));
    if (!algorithm) return unusable("an algorithm (\"alg\") that is not supported");
  }
  TRY(TypedKey material, parse_key_material(object));
  if (algorithm && !auth::fits(*algorithm, material.type)) {
    return unusable("\"alg\" does not go with the type of the key");
  }
  return JsonWebKey{material.type, std::move(id), algorithm, std::move(material.key)};
}

Result<JwkSet> JwkSet::parse(std::string_view text) {
  TRY(const json::value document, json::parse(text));
  const json::array* keys =
      document.is_object() ? json::find_array(document.get_object(), "keys") : nullptr;
  if (keys == nullptr) {
    return fail(ErrorCode::InvalidArgument, "not a JWK Set: no list \"keys\"");
  }
  if (keys->size() > kMaxKeys) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("a JWK Set of {} keys; at most {} are accepted", keys->size(), kMaxKeys));
  }
  JwkSet set;
  std::string first_problem = "it is empty";
  for (const json::value& entry : *keys) {
    Result<JsonWebKey> key = entry.is_object() ? parse_json_web_key(entry.get_object())
                                               : unusable("a key that is not an object");
    if (key)
      set.keys_.push_back(*std::move(key));
    else if (&entry == keys->data())
      first_problem = "the first is " + key.error().message;
  }
  if (set.keys_.empty()) {
    return fail(ErrorCode::InvalidArgument, "a JWK Set without a usable key: " + first_problem);
  }
  return set;
}

std::vector<const JsonWebKey*> JwkSet::candidates(const std::optional<std::string>& key_id,
                                                  SigningAlgorithm algorithm) const {
  std::vector<const JsonWebKey*> found;
  for (const JsonWebKey& key : keys_) {
    if (found.size() == kMaxCandidates) break;
    if (key.fits(algorithm) && (!key_id || key.id == key_id)) found.push_back(&key);
  }
  return found;
}

bool JwkSet::has_key(std::string_view key_id) const {
  return std::ranges::any_of(keys_, [&](const JsonWebKey& key) { return key.id == key_id; });
}

}  // namespace sluice::auth
