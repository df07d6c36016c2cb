#include "auth/json_web_token.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace sluice::auth {
namespace {

std::string part(std::string_view text) { return base64url_encode(as_bytes(text)); }

std::string token(std::string_view header, std::string_view payload) {
  return part(header) + '.' + part(payload) + ".c2ln";
}

void expect_refused(std::string_view text, std::string_view why) {
  const auto result = JsonWebToken::parse(text);
  ASSERT_FALSE(result) << text;
  EXPECT_EQ(result.error().code, ErrorCode::Unauthenticated);
  EXPECT_EQ(result.error().message, why) << text;
}

TEST(JsonWebToken, IsSplitAndDecoded) {
  const std::string text = token(R"({"alg":"RS256","kid":"a","typ":"at+jwt"})", R"({"iss":"i"})");
  const auto result = JsonWebToken::parse(text);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->header.algorithm, SigningAlgorithm::Rs256);
  EXPECT_EQ(result->header.key_id, "a");
  EXPECT_EQ(json::find_string(result->claims, "iss"), "i");
  EXPECT_EQ(result->signed_text, text.substr(0, text.rfind('.')));
  EXPECT_EQ(result->signature, "sig");
}

TEST(JsonWebToken, EveryAcceptedAlgorithm) {
  for (const char* name :
       {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}) {
    const auto header = parse_jose_header(std::string(R"({"alg":")") + name + R"("})");
    ASSERT_TRUE(header) << name;
    EXPECT_EQ(to_string(header->algorithm), name);
    EXPECT_EQ(header->key_id, std::nullopt);
  }
}

TEST(JsonWebToken, NoneAndSymmetricAlgorithmsInAllSpellingsAreRefused) {
  for (const char* name :
       {"none",     "None",  "NONE",  "nOnE",  " none",       "none ",       "",    "HS256",
        "HS384",    "HS512", "hs256", "rs256", "Rs256",       "RS256 ",      "RS1", "ES256K",
        "RSA-OAEP", "dir",   "eddsa", "EDDSA", "none\\u0000", "RS256\\u0000"}) {
    const auto header = parse_jose_header(std::string(R"({"alg":")") + name + R"("})");
    ASSERT_FALSE(header) << name;
    EXPECT_EQ(header.error().message,
              "signature algorithm not accepted; use RS, PS or ES 256, 384, 512 or EdDSA");
  }
}

TEST(JsonWebToken, AlgMustBeAString) {
  for (const char* text :
       {"{}", R"({"alg":null})", R"({"alg":256})", R"({"alg":["RS256"]})", R"({"Alg":"RS256"})"}) {
    EXPECT_EQ(parse_jose_header(text).error().message, "malformed token: no alg in the header");
  }
}

TEST(JsonWebToken, CriticalExtensionsAreRefused) {
  for (const char* crit : {R"(["exp"])", R"(["b64"])", "[]", "null", R"("")"}) {
    const auto header = parse_jose_header(std::string(R"({"alg":"RS256","crit":)") + crit + "}");
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().message, "critical header extensions not supported");
  }
}

TEST(JsonWebToken, UnencodedPayloadIsRefused) {
  for (const char* value : {"false", "0", "null", R"("true")"}) {
    EXPECT_FALSE(parse_jose_header(std::string(R"({"alg":"RS256","b64":)") + value + "}"));
  }
  EXPECT_TRUE(parse_jose_header(R"({"alg":"RS256","b64":true})"));
}

TEST(JsonWebToken, KidAndTypMustBeStrings) {
  EXPECT_FALSE(parse_jose_header(R"({"alg":"RS256","kid":1})"));
  EXPECT_FALSE(parse_jose_header(R"({"alg":"RS256","kid":null})"));
  EXPECT_FALSE(parse_jose_header(R"({"alg":"RS256","typ":{}})"));
}

TEST(JsonWebToken, DuplicateMembersAreRefused) {
  expect_refused(token(R"({"alg":"none","alg":"RS256"})", "{}"),
                 "malformed token: the header is not valid JSON");
  expect_refused(token(R"({"alg":"RS256"})", R"({"sub":"a","sub":"b"})"),
                 "malformed token: the payload is not valid JSON");
  expect_refused(token(R"({"alg":"RS256"})", R"({"sub":"a","\u0073ub":"b"})"),
                 "malformed token: the payload is not valid JSON");
}

TEST(JsonWebToken, PartsMustBeThree) {
  for (const char* text : {"", ".", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "....", "a.b.c."}) {
    expect_refused(text, "malformed token: not three parts separated by dots");
  }
}

TEST(JsonWebToken, EncodingMustBeStrict) {
  const std::string header = part(R"({"alg":"RS256"})");
  for (const std::string& text :
       {header + "=.e30.c2ln", header + ".e30=.c2ln", header + ".e30.c2ln=", header + ". e30.c2ln",
        header + ".e30.c2ln\n", "\n" + header + ".e30.c2ln", header + ".e30.c2l+",
        header + ".e30.c2l/", header + ".e31.c2ln", header + ".e30.c2lo7",
        header + ".e30\r\n.c2ln"}) {
    expect_refused(text, "malformed token: not base64url");
  }
}

TEST(JsonWebToken, EmptySignatureIsRefused) {
  expect_refused(part(R"({"alg":"RS256"})") + ".e30.", "token is not signed");
}

TEST(JsonWebToken, PartsMustBeObjects) {
  for (const char* text : {"[]", "7", "null", "\"x\""}) {
    expect_refused(token(text, "{}"), "malformed token: the header is not an object");
    expect_refused(token(R"({"alg":"RS256"})", text),
                   "malformed token: the payload is not an object");
  }
  expect_refused(token("", "{}"), "malformed token: the header is not valid JSON");
  expect_refused(token(R"({"alg":"RS256"})", ""), "malformed token: the payload is not valid JSON");
}

TEST(JsonWebToken, HugeAndDeepAreRefused) {
  expect_refused(std::string(JsonWebToken::kMaxBytes + 1, 'a'), "token too long");
  const std::string deep = R"({"a":)" + std::string(5'000, '[') + std::string(5'000, ']') + "}";
  expect_refused(token(R"({"alg":"RS256"})", deep),
                 "malformed token: the payload is not valid JSON");
}

TEST(JsonWebToken, TruncatedAtEveryLengthIsRefusedOrUnsigned) {
  const std::string text = token(R"({"alg":"RS256"})", R"({"iss":"i"})");
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto result = JsonWebToken::parse(std::string_view(text).substr(0, size));
    EXPECT_TRUE(!result || result->signature.size() < 3) << size;
  }
}

}  // namespace
}  // namespace sluice::auth
