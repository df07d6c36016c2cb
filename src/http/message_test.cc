#include "http/message.h"

#include <gmock/gmock.h>

namespace sluice::http {
namespace {

TEST(FieldMap, NamesCompareWithoutCase) {
  FieldMap fields;
  fields.add("Content-Type", "text/plain");
  EXPECT_EQ(fields.find("content-type"), "text/plain");
  EXPECT_EQ(fields.find("content"), std::nullopt);
}

TEST(FieldMap, FindAllKeepsTheOrderOfArrival) {
  FieldMap fields;
  fields.add("A", "1");
  fields.add("B", "2");
  fields.add("a", "3");
  EXPECT_THAT(fields.find_all("A"), testing::ElementsAre("1", "3"));
}

TEST(FieldMap, TokensAreFoundInAnyLineOfAList) {
  FieldMap fields;
  fields.add("Connection", "keep-alive, Upgrade");
  fields.add("Connection", " close ,");
  EXPECT_TRUE(fields.has_token("connection", "upgrade"));
  EXPECT_TRUE(fields.has_token("connection", "close"));
  EXPECT_FALSE(fields.has_token("connection", "up"));
}

TEST(ReasonPhrase, UnknownStatusHasNone) {
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(299), "");
}

}  // namespace
}  // namespace sluice::http
