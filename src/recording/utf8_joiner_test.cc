#include "recording/utf8_joiner.h"

#include <rapidcheck.h>

#include <gtest/gtest.h>

#include "base/text.h"

namespace sluice::recording {
namespace {

using namespace std::string_literals;

std::string join(std::string_view bytes, std::size_t fragment) {
  Utf8Joiner joiner;
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += fragment) {
    joiner.append(bytes.substr(at, fragment), text);
  }
  joiner.finish(text);
  return text;
}

/// Texts with bytes put in and taken away.
std::string damaged(const std::vector<std::uint8_t>& picks) {
  const std::string pieces[] = {"a",    "é",        "€",        "\U0001F600",   "\xC3", "\xE2\x82",
                                "\x80", "\xED\xA0", "\xF0\x9F", "\xF4\x90\x80", "\xFF", "\x1b[0m"};
  std::string bytes;
  for (const std::uint8_t pick : picks) bytes += pieces[pick % std::size(pieces)];
  return bytes;
}

TEST(Utf8Joiner, TextThatIsUtf8IsNotChangedHoweverItIsCut) {
  const std::string text = "plain é € \U0001F600 \U0010FFFF\0 end"s;
  for (std::size_t fragment = 1; fragment <= text.size(); ++fragment) {
    EXPECT_EQ(join(text, fragment), text);
  }
}

TEST(Utf8Joiner, WhereverBytesAreCutTheTextIsTheSame) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint8_t>& picks) {
    const std::string bytes = damaged(picks);
    const std::string whole = join(bytes, std::max<std::size_t>(bytes.size(), 1));
    RC_ASSERT(is_utf8(whole));
    for (std::size_t fragment = 1; fragment < bytes.size(); ++fragment) {
      RC_ASSERT(join(bytes, fragment) == whole);
    }
  }));
}

TEST(Utf8Joiner, ASequenceIsKeptBackUntilItIsWhole) {
  Utf8Joiner joiner;
  std::string text;
  joiner.append("a\xE2", text);
  EXPECT_EQ(text, "a");
  joiner.append("\x82", text);
  EXPECT_EQ(text, "a");
  joiner.append("\xAC", text);
  EXPECT_EQ(text, "a€");
}

TEST(Utf8Joiner, EachByteThatBelongsToNoSequenceIsReplaced) {
  EXPECT_EQ(join("a\xFF\x62", 8), "a\uFFFDb");
  EXPECT_EQ(join("\xE2\x82x", 8), "\uFFFD\uFFFDx");
  EXPECT_EQ(join("\xC0\xAF", 8), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(join("\xED\xA0\x80", 8), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(join("\xF4\x90\x80\x80", 8), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
}

TEST(Utf8Joiner, WhatCanNotBecomeASequenceIsNotKeptBack) {
  for (const char* beginning : {"\xE0\x80", "\xED\xA0", "\xF0\x80", "\xF4\x90", "\xC1", "\xF5"}) {
    Utf8Joiner joiner;
    std::string text;
    joiner.append(beginning, text);
    EXPECT_EQ(text.substr(0, 3), "\uFFFD");
  }
}

TEST(Utf8Joiner, AnUnfinishedEndIsReplaced) {
  EXPECT_EQ(join("a\xF0\x9F\x98", 1), "a\uFFFD\uFFFD\uFFFD");
}

}  // namespace
}  // namespace sluice::recording
