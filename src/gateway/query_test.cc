#include "gateway/query.h"

#include <limits>

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

std::string message_of(const auto& result) { return result ? "no error" : result.error().message; }

Query parse(std::string_view raw) { return *Query::parse(raw); }

TEST(Query, DecodesNamesAndValuesOnce) {
  const Query query = parse("po%64=a%20b+c&container=%2541");
  EXPECT_EQ(*query.text("pod"), "a b c");
  EXPECT_EQ(*query.text("container"), "%41");
}

TEST(Query, BrokenEncodingIsRefused) {
  EXPECT_EQ(message_of(Query::parse("pod=%4")),
            "malformed query: the value of field \"pod\" is not percent-encoded UTF-8");
  EXPECT_FALSE(Query::parse("pod=%zz"));
  EXPECT_FALSE(Query::parse("pod=%ff"));
  EXPECT_EQ(message_of(Query::parse("%=1")),
            "malformed query: a field's name is not percent-encoded UTF-8");
}

TEST(Query, EmptyPartsAreNothing) {
  EXPECT_TRUE(Query::parse(""));
  EXPECT_EQ(*parse("&&pod=x&").text("pod"), "x");
}

TEST(Query, SingleValuedFieldGivenTwiceIsRefused) {
  const std::string expected = "query field f: given more than once; it takes one value";
  const Query query = parse("f=1&f=1");
  EXPECT_EQ(message_of(query.text("f")), expected);
  EXPECT_EQ(message_of(query.verbatim("f")), expected);
  EXPECT_EQ(message_of(query.boolean("f", false)), expected);
  EXPECT_EQ(message_of(query.integer("f", 0, 9)), expected);
  EXPECT_EQ(message_of(query.duration("f")), expected);
  EXPECT_EQ(message_of(query.time("f")), expected);
  EXPECT_EQ(message_of(query.flag("f", "1")), expected);
}

TEST(Query, UnknownFieldsMayComeTwice) { EXPECT_FALSE(*parse("x=1&x=2").boolean("follow", false)); }

TEST(Query, BooleansAreGos) {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"}) {
    EXPECT_TRUE(*parse(std::string("f=") + text).boolean("f", false)) << text;
  }
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"}) {
    EXPECT_FALSE(*parse(std::string("f=") + text).boolean("f", true)) << text;
  }
  EXPECT_EQ(message_of(parse("f=yes").boolean("f", true)),
            "query field f: must be true or false (or 1, 0, t, f), got \"yes\"");
}

TEST(Query, EmptyValueOfATypedFieldIsRefused) {
  for (const char* raw : {"f=", "f"}) {
    const Query query = parse(raw);
    EXPECT_FALSE(query.boolean("f", true)) << raw;
    EXPECT_FALSE(query.integer("f", 0, 9)) << raw;
    EXPECT_FALSE(query.duration("f")) << raw;
    EXPECT_FALSE(query.time("f")) << raw;
    EXPECT_FALSE(query.flag("f", "leave")) << raw;
    EXPECT_EQ(*query.text("f"), "") << raw;
  }
}

TEST(Query, IntegersHaveARange) {
  EXPECT_EQ(*parse("f=-1").integer("f", -1, 9), -1);
  EXPECT_EQ(*parse("").integer("f", -1, 9), std::nullopt);
  EXPECT_EQ(message_of(parse("f=10").integer("f", 1, 9)),
            "query field f: must be a whole number from 1 to 9, got \"10\"");
  EXPECT_EQ(message_of(parse("f=0").integer("f", 1, std::numeric_limits<std::int64_t>::max())),
            "query field f: must be a whole number of at least 1, got \"0\"");
  for (const char* text : {"%2B1", "1.0", "0x1", "+1", "1+", "99999999999999999999"}) {
    EXPECT_FALSE(parse(std::string("f=") + text).integer("f", 0, 100)) << text;
  }
}

TEST(Query, DurationsAreGosOrWholeSeconds) {
  EXPECT_EQ(*parse("f=1h30m").duration("f"), std::chrono::minutes(90));
  EXPECT_EQ(*parse("f=90").duration("f"), seconds(90));
  EXPECT_EQ(*parse("f=0").duration("f"), seconds(0));
  EXPECT_EQ(*parse("f=1.5s").duration("f"), milliseconds(1500));
  EXPECT_TRUE(parse("f=9223372036854775807").duration("f"));
  for (const char* text : {"-1", "-5s", "1.5", "soon", "5%20s", "-9223372036854775808"}) {
    EXPECT_FALSE(parse(std::string("f=") + text).duration("f")) << text;
  }
  EXPECT_EQ(
      message_of(parse("f=-1").duration("f")),
      "query field f: must be a duration such as 5s or 1h30m, or whole seconds, not negative, "
      "got \"-1\"");
}

TEST(Query, TimesAreRfc3339AlsoWithARawPlus) {
  const WallTime time = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2);
  EXPECT_EQ(*parse("f=2026-01-02T00:00:00Z").time("f"), time);
  EXPECT_EQ(*parse("f=2026-01-02T01:00:00%2B01:00").time("f"), time);
  EXPECT_EQ(*parse("f=2026-01-02T01:00:00+01:00").time("f"), time);
  EXPECT_FALSE(parse("f=2026-01-02").time("f"));
}

TEST(Query, VerbatimKeepsARawPlus) {
  EXPECT_EQ(*parse("f=a+b%2Bc").verbatim("f"), "a+b+c");
  EXPECT_EQ(*parse("").verbatim("f"), std::nullopt);
}

TEST(Query, FlagTakesOneValueOnly) {
  EXPECT_TRUE(*parse("stdinEof=empty").flag("stdinEof", "empty"));
  EXPECT_FALSE(*parse("").flag("stdinEof", "empty"));
  EXPECT_EQ(message_of(parse("stdinEof=never").flag("stdinEof", "empty")),
            "query field stdinEof: must be \"empty\" or absent, got \"never\"");
}

TEST(Query, LongValuesAreCutInMessages) {
  const std::string message = message_of(parse("f=" + std::string(500, 'x')).boolean("f", true));
  EXPECT_LT(message.size(), 200u);
}

TEST(Query, RepeatableFieldsKeepTheirOrder) {
  EXPECT_EQ(parse("port=2&x=y&port=1").all("port"), (std::vector<std::string_view>{"2", "1"}));
}

}  // namespace
}  // namespace sluice::gateway
