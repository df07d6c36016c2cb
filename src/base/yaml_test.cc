#include "base/yaml.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace sluice::yaml {
namespace {

std::string message_of(const auto& result) { return result ? "no error" : result.error().message; }

Mapping mapping(std::string_view text) { return *parse(text, "f.yaml")->as_mapping(); }

TEST(Yaml, ValuesOfEachType) {
  Mapping map = mapping("text: a b\nflag: true\nnumber: 7\nwait: 1m30s\nlist: [x, y]\none: z\n");
  EXPECT_EQ(*map.take("text")->as_string(), "a b");
  EXPECT_EQ(*map.take("flag")->as_bool(), true);
  EXPECT_EQ(*map.take("number")->as_int64(0, 10), 7);
  EXPECT_EQ(*map.take("wait")->as_duration(), seconds(90));
  EXPECT_EQ(map.take("list")->as_strings()->size(), 2u);
  EXPECT_EQ(*map.take("one")->as_strings(), std::vector<std::string>{"z"});
  EXPECT_TRUE(map.finish());
}

TEST(Yaml, WrongTypesNameFileLineKeyAndWhatIsRight) {
  Mapping map = mapping("a:\n  wait: soon\nflag: yes\nnumber: 11\nempty:\nmap: {}\nlist: []\n");
  Mapping inner = *map.take("a")->as_mapping();
  EXPECT_EQ(message_of(inner.take("wait")->as_duration()),
            "f.yaml:2: a.wait: expected a duration such as 30s, at most 87600h, got \"soon\"");
  EXPECT_EQ(message_of(map.take("flag")->as_bool()),
            "f.yaml:3: flag: expected true or false, got \"yes\"");
  EXPECT_EQ(message_of(map.take("number")->as_int64(1, 10)),
            "f.yaml:4: number: expected a whole number from 1 to 10, got \"11\"");
  EXPECT_EQ(message_of(map.take("empty")->as_string()),
            "f.yaml:5: empty: expected text, got nothing");
  EXPECT_EQ(message_of(map.take("map")->as_list()),
            "f.yaml:6: map: expected a list, got a mapping");
  EXPECT_EQ(message_of(map.take("list")->as_mapping()),
            "f.yaml:7: list: expected a mapping, got a list");
}

TEST(Yaml, NegativeDurationIsRefused) {
  Mapping map = mapping("wait: -1s");
  EXPECT_FALSE(map.take("wait")->as_duration());
}

TEST(Yaml, DurationsHaveALongest) {
  Mapping map = mapping("longest: 87600h\nlonger: 87600h0m0.000000001s\nunheld: 9999999h\n");
  EXPECT_EQ(*map.take("longest")->as_duration(), kLongestDuration);
  EXPECT_EQ(message_of(map.take("longer")->as_duration()),
            "f.yaml:2: longer: expected a duration such as 30s, at most 87600h, got "
            "\"87600h0m0.000000001s\"");
  EXPECT_EQ(message_of(map.take("unheld")->as_duration()),
            "f.yaml:3: unheld: expected a duration such as 30s, at most 87600h, got "
            "\"9999999h\"");
}

TEST(Yaml, UnknownKeyIsAtItsOwnLineWithTheNearestKnown) {
  Mapping map = mapping("sessions:\n  max: 1\nlisten: x\nlisen:\n  - y\n");
  EXPECT_TRUE(map.take("sessions"));
  EXPECT_TRUE(map.take("listen"));
  EXPECT_EQ(message_of(map.finish()), "f.yaml:4: lisen: unknown key, did you mean listen?");
}

TEST(Yaml, UnknownKeyWithNothingNearListsTheKnown) {
  Mapping map = mapping("zzzzzzzz: 1");
  EXPECT_FALSE(map.take("listen"));
  EXPECT_FALSE(map.take("admin"));
  EXPECT_EQ(message_of(map.finish()), "f.yaml:1: zzzzzzzz: unknown key; known here: listen, admin");
}

TEST(Yaml, MissingKeyIsAtTheLineOfItsMapping) {
  Mapping map = mapping("# first\nlist:\n  - a: 1\n");
  Mapping item = *(*map.take("list")->as_list())[0].as_mapping();
  EXPECT_EQ(message_of(item.require("name")), "f.yaml:3: list[0]: missing key name");
}

TEST(Yaml, WhatIsWrongWithAKeyOrItsWholeValueIsAtTheKeysLine) {
  Mapping map = mapping("a: 1\n# a remark\nlist:\n\n  - x\n");
  const Value list = *map.take("list");
  EXPECT_EQ(list.key_error("bad name").message, "f.yaml:3: list: bad name");
  EXPECT_EQ(message_of(list.as_mapping()), "f.yaml:3: list: expected a mapping, got a list");
  const Value item = (*list.as_list())[0];
  EXPECT_EQ(item.key_error("bad").message, "f.yaml:5: list[0]: bad");
  EXPECT_EQ(message_of(item.as_mapping()), "f.yaml:5: list[0]: expected a mapping, got \"x\"");
}

TEST(Yaml, MisspeltRequiredKeyIsCalledThat) {
  Mapping map = mapping("lisen: 1\n");
  EXPECT_EQ(message_of(map.require("listen")),
            "f.yaml:1: lisen: unknown key, did you mean listen?");
}

TEST(Yaml, DuplicateKeyIsRefused) {
  EXPECT_EQ(message_of(parse("a:\n  b: 1\n  b: 2\n", "f.yaml")), "f.yaml:3: a.b: given twice");
}

TEST(Yaml, EmptyDocumentIsAnEmptyMapping) {
  for (const char* text : {"", "# nothing\n", "---\n", "null\n"}) {
    auto value = parse(text, "f.yaml");
    ASSERT_TRUE(value) << text;
    EXPECT_TRUE(value->as_mapping()->finish()) << text;
  }
}

TEST(Yaml, SecondDocumentIsRefused) {
  EXPECT_EQ(message_of(parse("a: 1\n---\nb: 2\n", "f.yaml")),
            "f.yaml:2: a second document: only one is expected");
}

TEST(Yaml, SyntaxErrorsNameTheLine) {
  const std::string message = message_of(parse("a: 1\nb: [1, 2\n", "f.yaml"));
  EXPECT_TRUE(message.starts_with("f.yaml:")) << message;
  EXPECT_NE(message.find("not valid YAML"), std::string::npos) << message;
}

TEST(Yaml, AliasBombIsRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += before + " , ";
    text += "x]\n";
  }
  EXPECT_NE(message_of(parse(text, "f.yaml")).find("too large"), std::string::npos);
}

TEST(Yaml, AliasOfItselfIsRefused) { EXPECT_FALSE(parse("a: &a [*a]\n", "f.yaml")); }

TEST(Yaml, DeepNestingIsRefused) {
  EXPECT_NE(message_of(parse("a: " + std::string(40, '[') + std::string(40, ']'), "f.yaml"))
                .find("nested too deeply"),
            std::string::npos);
  EXPECT_FALSE(parse(std::string(100'000, '['), "f.yaml"));
}

TEST(Yaml, RestOfKeysComeInFileOrder) {
  Mapping map = mapping("env: 1\nB: 2\nA: 3\n");
  EXPECT_TRUE(map.take("env"));
  const auto rest = map.take_rest();
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[0].first, "B");
  EXPECT_EQ(rest[1].first, "A");
  EXPECT_TRUE(map.finish());
}

TEST(Yaml, UnreadableFileSaysWhy) {
  const std::string message = message_of(parse_file("/nonexistent/f.yaml"));
  EXPECT_TRUE(message.starts_with("/nonexistent/f.yaml: cannot be read: ")) << message;
}

TEST(Yaml, StrayCommaIsNoEndlessRowOfDocuments) {
  EXPECT_EQ(parse(",", "f.yaml").error().message,
            "f.yaml:1: a second document: only one is expected");
  EXPECT_FALSE(parse("a: b\n...\n,", "f.yaml"));
  EXPECT_FALSE(parse("\"}\"}}],\"\":[", "f.yaml"));
}

TEST(Yaml, ControlCharactersAreRefusedAtTheirLine) {
  EXPECT_EQ(parse("a: b\r\n\tc: \x01\n", "f.yaml").error().message,
            "f.yaml:2: a control character, 0x01");
  EXPECT_EQ(parse(std::string_view("a: \0", 4), "f.yaml").error().message,
            "f.yaml:1: a control character, 0x00");
}

}  // namespace
}  // namespace sluice::yaml
