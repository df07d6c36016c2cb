#include "base/base64.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

struct Vector {
  std::string_view bytes, standard, url;
};

constexpr Vector kVectors[] = {
    // RFC 4648 10, and the two characters that differ
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"},
};

TEST(Base64, EncodesAndDecodesTheVectorsOfRfc4648) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(base64_encode(as_bytes(vector.bytes)), vector.standard);
    EXPECT_EQ(base64url_encode(as_bytes(vector.bytes)), vector.url);
    EXPECT_EQ(base64url_decode(vector.url), vector.bytes);
    EXPECT_EQ(base64_decode_any(vector.standard), vector.bytes);
    EXPECT_EQ(base64_decode_any(vector.url), vector.bytes);
  }
}

TEST(Base64, UrlDecodeRefusesEverythingElse) {
  for (const std::string_view text : {"Zg==", "Zm8=", "+//+", "A", "AAAAA", "Zm 9v", " Zm9v",
                                      "Zm9v\n", "Zm9v.", "Zh", "Zm9", "="}) {
    EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
  }
}

TEST(Base64, DecodeAnyRefusesMixedAlphabetsAndWrongPadding) {
  for (const std::string_view text :
       {"+__+", "Zg=", "Zg===", "Zm8==", "Zm9v=", "Zm9v==", "====", "=", "Z=g=", "Zh==", "Zg\n"}) {
    EXPECT_EQ(base64_decode_any(text), std::nullopt) << text;
  }
}

TEST(HexEncode, HasTwoDigitsForEachByte) {
  EXPECT_EQ(hex_encode(as_bytes(std::string_view("\0\x0a\x7f\xff", 4))), "000a7fff");
  EXPECT_EQ(hex_encode({}), "");
}

}  // namespace
}  // namespace sluice
