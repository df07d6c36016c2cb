// Signature verification against the vectors of Project Wycheproof (github.com/C2SP/wycheproof),
// which tests/wycheproof/fetch downloads. Usage: wycheproof_test DIRECTORY. Exit code 77: no
// vectors there.
//
// It knows the groups that JOSE has algorithms for: ECDSA with raw r and s, EdDSA, RSA PKCS #1 and
// PSS; and JOSE's own: whole JSON Web Signatures, keys and key sets, and encrypted tokens, none of
// which is ever accepted.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "auth/json_web_token.h"
#include "auth/signature.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/text.h"

namespace sluice::auth {
namespace {

constexpr std::size_t kMaxFileBytes = 64 << 20;
constexpr int kNoVectors = 77;

struct Count {
  int accepted = 0;
  int refused = 0;
  int wrong = 0;
};

std::string text_of(const json::object& object, std::string_view name) {
  return std::string(json::find_string(object, name).value_or(""));
}

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return bytes;
}

/// A number of a vector, which may begin with a zero byte, as base64url of that many bytes (0: as
/// few as can be).
std::string number(const json::object& object, std::string_view name, std::size_t bytes) {
  std::string text = from_hex(text_of(object, name));
  text.erase(0, std::min(text.find_first_not_of('\0'), text.size()));
  if (text.size() < bytes) text.insert(0, bytes - text.size(), '\0');
  return base64url_encode(as_bytes(text));
}

std::string ec_jwk(const json::object& key, std::string_view curve, std::size_t bytes) {
  return fmt::format(R"({{"kty":"EC","crv":"{}","x":"{}","y":"{}"}})", curve,
                     number(key, "wx", bytes), number(key, "wy", bytes));
}

struct Group {
  std::string jwk;
  SigningAlgorithm algorithm;
  bool is_jose = true;  // false: parameters that a JOSE algorithm doesn't allow
};

std::optional<Group> ecdsa_group(const json::object& group, const json::object& key) {
  const std::string curve = text_of(key, "curve");
  const std::string digest = text_of(group, "sha");
  if (curve == "secp256r1" && digest == "SHA-256") {
    return Group{ec_jwk(key, "P-256", 32), SigningAlgorithm::Es256};
  }
  if (curve == "secp384r1" && digest == "SHA-384") {
    return Group{ec_jwk(key, "P-384", 48), SigningAlgorithm::Es384};
  }
  if (curve == "secp521r1" && digest == "SHA-512") {
    return Group{ec_jwk(key, "P-521", 66), SigningAlgorithm::Es512};
  }
  return std::nullopt;
}

std::optional<Group> rsa_group(const json::object& group, const json::object& key, bool is_pss) {
  const std::string digest = text_of(group, "sha");
  if (digest != "SHA-256" && digest != "SHA-384" && digest != "SHA-512") return std::nullopt;
  const std::string bits = digest.substr(4);
  const bool is_jose = !is_pss || (text_of(group, "mgfSha") == digest &&
                                   json::find_int64(group, "sLen") == *parse_int64(bits) / 8);
  return Group{fmt::format(R"({{"kty":"RSA","n":"{}","e":"{}"}})", number(key, "modulus", 0),
                           number(key, "publicExponent", 0)),
               *parse_signing_algorithm((is_pss ? "PS" : "RS") + bits), is_jose};
}

std::optional<Group> parse_group(const json::object& group) {
  const std::string type = text_of(group, "type");
  const json::object* key = json::find_object(group, "publicKey");
  if (key == nullptr) return std::nullopt;
  if (type == "EcdsaP1363Verify") return ecdsa_group(group, *key);
  if (type == "RsassaPkcs1Verify") return rsa_group(group, *key, false);
  if (type == "RsassaPssVerify") return rsa_group(group, *key, true);
  if (type != "EddsaVerify") return std::nullopt;
  const bool is_448 = text_of(*key, "curve") == "edwards448";
  return Group{fmt::format(R"({{"kty":"OKP","crv":"{}","x":"{}"}})", is_448 ? "Ed448" : "Ed25519",
                           base64url_encode(as_bytes(from_hex(text_of(*key, "pk"))))),
               SigningAlgorithm::EdDsa};
}

void judge(Count& count, bool accepted, std::string_view result, const std::string& what) {
  ++(accepted ? count.accepted : count.refused);
  if (result == "acceptable" || accepted == (result == "valid")) return;
  ++count.wrong;
  fmt::print("  {}: {}, but it is {}\n", what, accepted ? "accepted" : "refused", result);
}

std::string name_of(const json::object& test) {
  return fmt::format("test {} ({})", json::find_int64(test, "tcId").value_or(0),
                     text_of(test, "comment"));
}

void run_signatures(const json::object& vectors, const Group& group, Count& count) {
  const auto set = JwkSet::parse(fmt::format(R"({{"keys":[{}]}})", group.jwk));
  for (const json::value& value : *json::find_array(vectors, "tests")) {
    const json::object& test = value.get_object();
    const std::string signature = from_hex(text_of(test, "sig"));
    const std::string message = from_hex(text_of(test, "msg"));
    const auto keys =
        set ? set->candidates(std::nullopt, group.algorithm) : std::vector<const JsonWebKey*>{};
    const bool accepted =
        !keys.empty() && verify_signature(*keys.front(), group.algorithm, message, signature);
    std::string result = text_of(test, "result");
    if (keys.empty()) result = "invalid";
    // Other parameters than JOSE's must never do; changed ones may happen to be JOSE's.
    if (!group.is_jose) result = result == "valid" ? "invalid" : "acceptable";
    judge(count, accepted, result, name_of(test));
  }
}

/// A JWS in compact form, of which the payload may be anything.
bool accepts(const JwkSet& keys, std::string_view compact) {
  const std::size_t first = compact.find('.');
  const std::size_t last = compact.rfind('.');
  if (first == last || compact.find('.', first + 1) != last) return false;
  const auto header_text = base64url_decode(compact.substr(0, first));
  const auto payload = base64url_decode(compact.substr(first + 1, last - first - 1));
  const auto signature = base64url_decode(compact.substr(last + 1));
  if (!header_text || !payload || !signature) return false;
  const auto header = parse_jose_header(*header_text);
  if (!header) return false;
  const auto candidates = keys.candidates(header->key_id, header->algorithm);
  return std::ranges::any_of(candidates, [&](const JsonWebKey* key) {
    return verify_signature(*key, header->algorithm, compact.substr(0, last), *signature);
  });
}

/// Why a valid JWS is none of ours: symmetric, or of another algorithm than its key's "alg" says.
bool is_refused_by_rule(const std::optional<JwkSet>& keys, std::string_view compact) {
  const auto header_text = base64url_decode(compact.substr(0, compact.find('.')));
  const auto header = header_text ? parse_jose_header(*header_text) : fail(Error{});
  return !keys || !header || keys->candidates(header->key_id, header->algorithm).empty();
}

/// A group's keys, by their public members where it has only the private ones; none if it has none
/// that can verify.
std::optional<JwkSet> keys_of(const json::object& group) {
  const json::object* keys = json::find_object(group, "public");
  if (keys == nullptr) keys = json::find_object(group, "private");
  if (keys == nullptr) return std::nullopt;
  const std::string text = json::serialize(*keys);
  const bool is_set = json::find_array(*keys, "keys") != nullptr;
  auto set = JwkSet::parse(is_set ? text : fmt::format(R"({{"keys":[{}]}})", text));
  if (!set) return std::nullopt;
  return *std::move(set);
}

void run_web_signatures(const json::object& vectors, Count& count) {
  const std::optional<JwkSet> keys = keys_of(vectors);
  for (const json::value& value : *json::find_array(vectors, "tests")) {
    const json::object& test = value.get_object();
    if (const auto encrypted = json::find_string(test, "jwe")) {
      judge(count, JsonWebToken::parse(*encrypted).has_value(), "invalid", name_of(test));
      continue;
    }
    const std::string compact = text_of(test, "jws");
    const bool accepted = keys && accepts(*keys, compact);
    const bool must_refuse = is_refused_by_rule(keys, compact);
    // An issuer publishes its own keys: whether they were made by broken hardware is its affair.
    const bool is_weak_key = text_of(test, "comment").find("Roca") != std::string::npos;
    const std::string result = must_refuse   ? "invalid"
                               : is_weak_key ? "acceptable"
                                             : text_of(test, "result");
    judge(count, accepted, result, name_of(test));
  }
}

Result<Count> run_file(const std::string& path) {
  TRY(const std::string text, read_file(path, kMaxFileBytes));
  TRY(const json::value document, json::parse(text));
  Count count;
  const json::array* groups =
      document.is_object() ? json::find_array(document.get_object(), "testGroups") : nullptr;
  if (groups == nullptr) return count;
  for (const json::value& value : *groups) {
    const json::object& group = value.get_object();
    const std::string type = text_of(group, "type");
    if (type.starts_with("JsonWeb")) run_web_signatures(group, count);
    if (const auto known = parse_group(group)) run_signatures(group, *known, count);
  }
  return count;
}

/// Files that can hold groups we know: the others are large, and parsing them takes minutes.
bool is_candidate(const std::string& name) {
  return name.ends_with("_test.json") &&
         (name.find("_p1363_") != std::string::npos || name.starts_with("ed25519") ||
          name.starts_with("ed448") || name.starts_with("rsa_signature_") ||
          name.starts_with("rsa_pss_") || name.starts_with("json_web_"));
}

int run_directory(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    if (is_candidate(entry.path().filename())) paths.push_back(entry.path());
  }
  if (paths.empty()) {
    fmt::print("no Wycheproof vectors in \"{}\": skipped; get them with tests/wycheproof/fetch\n",
               directory);
    return kNoVectors;
  }
  std::ranges::sort(paths);
  Count total;
  for (const std::string& path : paths) {
    const auto count = run_file(path);
    if (!count) fmt::print("{}: {}\n", path, count.error().message);
    const Count counted = count.value_or(Count{0, 0, 1});
    if (counted.accepted + counted.refused + counted.wrong == 0) continue;
    fmt::print("{}: {} accepted, {} refused, {} wrong\n", path.substr(path.rfind('/') + 1),
               counted.accepted, counted.refused, counted.wrong);
    total.accepted += counted.accepted;
    total.refused += counted.refused;
    total.wrong += counted.wrong;
  }
  fmt::print("all: {} accepted, {} refused, {} wrong\n", total.accepted, total.refused,
             total.wrong);
  return total.wrong == 0 && total.accepted > 0 && total.refused > 0 ? 0 : 1;
}

}  // namespace
}  // namespace sluice::auth

int main(int argc, char** argv) {
  if (argc == 2) return sluice::auth::run_directory(argv[1]);
  fmt::print(stderr, "usage: wycheproof_test DIRECTORY\n");
  return 2;
}
