#include "cli/terminal/printable.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(Printable, WhatIsPlainStays) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("ImagePullBackOff: größer als 日本 🙂 \\n"),
            "ImagePullBackOff: größer als 日本 🙂 \\n");
}

TEST(Printable, ControlCharactersAreEscapes) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(printable("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(printable(std::string("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");
}

TEST(Printable, BytesThatAreNoUtf8AreEscapes) {
  EXPECT_EQ(printable("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "\\x9b31m");
}

TEST(Printable, MarksThatReorderTextAreEscapes) {
  EXPECT_EQ(printable("a\u202eb\u2066c\u2028d"), "a\\u202eb\\u2066c\\u2028d");
}

TEST(Printable, LinesMayBeKept) {
  EXPECT_EQ(printable_lines("a\n  b\x1b\r\n"), "a\n  b\\x1b\\r\n");
}

}  // namespace
}  // namespace sluice::cli
