#include "base/json.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Json, ParsesAndFindsByType) {
  const auto document = json::parse(R"( {"s":"x","n":7,"d":7.0,"h":7.5,"a":[1],"o":{"k":null}} )");
  ASSERT_TRUE(document);
  const json::object& object = document->get_object();
  EXPECT_EQ(json::find_string(object, "s"), "x");
  EXPECT_EQ(json::find_string(object, "n"), std::nullopt);
  EXPECT_EQ(json::find_int64(object, "n"), 7);
  EXPECT_EQ(json::find_int64(object, "d"), 7);
  EXPECT_EQ(json::find_int64(object, "h"), std::nullopt);
  EXPECT_EQ(json::find_int64(object, "s"), std::nullopt);
  ASSERT_NE(json::find_array(object, "a"), nullptr);
  EXPECT_EQ(json::find_array(object, "o"), nullptr);
  EXPECT_NE(json::find_object(object, "o"), nullptr);
  EXPECT_EQ(json::find_object(object, "absent"), nullptr);
  EXPECT_EQ(json::find(object, "absent"), nullptr);
}

TEST(Json, WhatIsMissingOrOfAnotherTypeReadsAsEmpty) {
  const auto document = json::parse(R"({"s":"x","b":true,"a":[1],"o":{"k":1}})");
  ASSERT_TRUE(document);
  const json::object& object = document->get_object();
  EXPECT_EQ(json::text_of(object, "s"), "x");
  EXPECT_EQ(json::text_of(object, "b"), "");
  EXPECT_TRUE(json::flag_of(object, "b"));
  EXPECT_FALSE(json::flag_of(object, "s"));
  EXPECT_EQ(json::list_of(object, "a").size(), 1u);
  EXPECT_TRUE(json::list_of(object, "o").empty());
  EXPECT_EQ(json::object_of(object, "o").size(), 1u);
  EXPECT_TRUE(json::object_of(object, "absent").empty());
}

TEST(Json, IntegersOutsideInt64AreNotFound) {
  const auto document =
      json::parse(R"({"a":9223372036854775808,"b":1e30,"c":-9223372036854775808})");
  ASSERT_TRUE(document);
  EXPECT_EQ(json::find_int64(document->get_object(), "a"), std::nullopt);
  EXPECT_EQ(json::find_int64(document->get_object(), "b"), std::nullopt);
  EXPECT_EQ(json::find_int64(document->get_object(), "c"),
            std::numeric_limits<std::int64_t>::min());
}

TEST(Json, DuplicateMembersAreRefusedAtEveryDepth) {
  for (const char* text : {R"({"a":1,"a":2})", R"({"a":1,"\u0061":2})",
                           R"({"x":[{"k":1,"b":2,"k":3}]})", R"({"":1,"":2})"}) {
    const auto result = json::parse(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(result.error().message.find("comes twice"), std::string::npos)
        << result.error().message;
  }
  EXPECT_TRUE(json::parse(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})"));
}

TEST(Json, StrictAboutSyntax) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "'a'",
                           "01",
                           "+1",
                           "1.",
                           ".5",
                           "NaN",
                           "Infinity",
                           "nul",
                           "\"\\x\"",
                           "\"\t\"",
                           "\"\\ud800\"",
                           "\"\xff\"",
                           "\"\xc0\x80\"",
                           "1 2",
                           "{} x",
                           "/**/1",
                           "\xef\xbb\xbf{}",
                           "1e999"}) {
    EXPECT_FALSE(json::parse(text)) << text;
  }
}

TEST(Json, NestingIsBounded) {
  EXPECT_TRUE(json::parse(std::string(json::kMaxDepth, '[') + std::string(json::kMaxDepth, ']')));
  EXPECT_FALSE(
      json::parse(std::string(json::kMaxDepth + 1, '[') + std::string(json::kMaxDepth + 1, ']')));
  EXPECT_FALSE(json::parse(std::string(100'000, '[')));
}

TEST(Json, SerializeEscapesWhatTripsLogsAndBrowsers) {
  const json::object object{{"m", "\"\\\n\x1b\x7f\xc2\x9b\xe2\x80\xa8\xff\xc3\xa4"}};
  EXPECT_EQ(json::serialize(object),
            "{\"m\":\"\\\"\\\\\\n\\u001b\\u007f\\u009b\\u2028\xef\xbf\xbd\xc3\xa4\"}");
}

TEST(Json, SerializeReadsBack) {
  const std::string_view text = R"({"a":[1,-2,true,null,"x"],"b":{}})";
  const auto document = json::parse(text);
  ASSERT_TRUE(document);
  EXPECT_EQ(json::serialize(*document), text);
}

}  // namespace
}  // namespace sluice
