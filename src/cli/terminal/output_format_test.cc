#include "cli/terminal/output_format.h"

#include <gtest/gtest.h>

#include "base/yaml.h"
#include "cli/terminal/table.h"

namespace sluice::cli {
namespace {

const json::value kValue =
    *json::parse(R"({"a":"x: y","b":[1,{"c":true,"d":[]}],"e":{"f":null},"g":{}})");

TEST(OutputFormat, PrettyJsonIsTheSameJson) {
  const std::string text = to_pretty_json(kValue);
  EXPECT_EQ(*json::parse(text), kValue);
  EXPECT_TRUE(text.starts_with("{\n  \"a\": \"x: y\",\n  \"b\": [\n    1,\n    {\n"));
  EXPECT_TRUE(text.ends_with("}\n"));
}

TEST(OutputFormat, YamlNestsByIndentation) {
  EXPECT_EQ(to_yaml(kValue),
            "a: \"x: y\"\n"
            "b:\n"
            "- 1\n"
            "- c: true\n"
            "  d: []\n"
            "e:\n"
            "  f: null\n"
            "g: {}\n");
  EXPECT_TRUE(yaml::parse(to_yaml(kValue), "x"));
}

TEST(OutputFormat, YamlsKeysAreQuotedWhereTheyWouldBeSomethingElse) {
  EXPECT_EQ(to_yaml(*json::parse(R"({"weird name: #x":1,"yes":2,"":3,"1":4,"a.b/c-d":5})")),
            "\"weird name: #x\": 1\n\"yes\": 2\n\"\": 3\n\"1\": 4\na.b/c-d: 5\n");
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"A", "LONG", "C"});
  table.add({"möhre", "x", ""});
  EXPECT_EQ(table.text(), "A       LONG   C\nmöhre   x\n");
}

}  // namespace
}  // namespace sluice::cli
