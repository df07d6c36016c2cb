#include "backend/kubernetes/cache/mapping.h"

#include <gmock/gmock.h>

#include "base/bytes.h"
#include "base/file.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using workload::Framework;
using workload::WorkloadType;

constexpr std::string_view kHead = "namespaces: {label: team}\nworkloads:\n";
constexpr std::string_view kRow =
    "  - type: training\n"
    "    framework: runai\n"
    "    resource: {group: example.org, kind: Run}\n"
    "    pods: [{ownedBy: metadata.uid}]\n";

std::string with(std::string_view more) {
  return std::string(kHead) + std::string(kRow).append(more);
}

std::string error_of(std::string_view yaml) {
  const auto mapping = parse_mapping(yaml, "m.yaml");
  return mapping ? "no error" : mapping.error().message;
}

json::object object(std::string_view text) { return json::parse(text)->get_object(); }

TEST(Mapping, RowSaysWhatToLookForAndHow) {
  const auto mapping = parse_mapping(
      "namespaces: {label: team, prefix: team-, ownName: true}\n"
      "owners: [{group: apps, kind: ReplicaSet}]\n"
      "defaultPod: [{role: master}, {index: \"0\"}]\n"
      "workloads:\n"
      "  - type: distributed\n"
      "    framework: tf\n"
      "    resource: [{group: a.org, kind: A}, {kind: Pod}]\n"
      "    where: {spec.type: TF}\n"
      "    unless: {spec.usage: Template}\n"
      "    names: [metadata.name, \"x-{kind}-{metadata.name}\"]\n"
      "    phase: status.phase\n"
      "    message: status.why\n"
      "    optional: true\n"
      "    pods:\n"
      "      - label: {owner: metadata.uid, kind-of-owner: kind}\n"
      "      - ownedBy: spec.uid\n"
      "      - uidIn: status.children\n",
      "m.yaml");
  ASSERT_TRUE(mapping) << mapping.error().message;
  EXPECT_EQ(mapping->namespaces.label, "team");
  EXPECT_EQ(mapping->namespaces.prefix, "team-");
  EXPECT_TRUE(mapping->namespaces.own_name);
  EXPECT_THAT(mapping->default_pod,
              ElementsAre(std::pair("role", "master"), std::pair("index", "0")));
  ASSERT_EQ(mapping->rows.size(), 1U);
  const MappingRow& row = mapping->rows[0];
  EXPECT_EQ(row.workload_class.type, WorkloadType::Distributed);
  EXPECT_EQ(row.workload_class.framework, Framework::TensorFlow);
  EXPECT_THAT(row.resources, ElementsAre(GroupKind{"a.org", "A"}, GroupKind{"", "Pod"}));
  EXPECT_THAT(row.where, ElementsAre(std::pair("spec.type", "TF")));
  EXPECT_THAT(row.unless, ElementsAre(std::pair("spec.usage", "Template")));
  EXPECT_EQ(row.phase, "status.phase");
  EXPECT_EQ(row.message, "status.why");
  EXPECT_TRUE(row.optional);
  ASSERT_EQ(row.pods.size(), 3U);
  EXPECT_EQ(row.pods[0].labels.size(), 2U);
  EXPECT_EQ(row.pods[1].by, PodSelector::By::Owner);
  EXPECT_EQ(row.pods[2].by, PodSelector::By::Uid);
  EXPECT_THAT(mapping->pod_labels(), ElementsAre("index", "kind-of-owner", "owner", "role"));
}

TEST(Mapping, NameIsThatOfTheObjectUnlessTheRowSaysOtherwise) {
  EXPECT_THAT(parse_mapping(with(""), "m.yaml")->rows[0].names, ElementsAre("metadata.name"));
}

TEST(Mapping, KindIsOptionalWhenAllItsRowsAre) {
  const auto mapping = parse_mapping(with("    optional: true\n"
                                          "  - type: workspace\n"
                                          "    framework: runai\n"
                                          "    resource: {group: example.org, kind: Other}\n"
                                          "    pods: [{ownedBy: metadata.uid}]\n"),
                                     "m.yaml");
  ASSERT_TRUE(mapping) << mapping.error().message;
  EXPECT_TRUE(mapping->is_optional({"example.org", "Run"}));
  EXPECT_FALSE(mapping->is_optional({"example.org", "Other"}));
  EXPECT_TRUE(mapping->is_optional({"apps", "ReplicaSet"}));  // stands between, at most
}

TEST(Mapping, ErrorNamesFileLineKeyAndWhatWouldBeRight) {
  EXPECT_THAT(error_of(with("    colour: red\n")),
              HasSubstr("m.yaml:7: workloads[0].colour: unknown key"));
  EXPECT_EQ(error_of("workloads: []\nnamespaces: {label: team}"),
            "m.yaml:1: workloads: expected at least one row");
  EXPECT_EQ(
      error_of("namespaces: {}\nworkloads: []"),
      "m.yaml:1: namespaces: no project would have a namespace; give label, prefix or ownName");
  EXPECT_THAT(error_of("namespaces: {label: team}"), HasSubstr("workloads"));
  EXPECT_THAT(
      error_of(std::string(kHead) + "  - {type: training, framework: any, resource: {kind: A}, "
                                    "pods: [{ownedBy: metadata.uid}]}\n"),
      HasSubstr("a row has one framework"));
  EXPECT_THAT(
      error_of(std::string(kHead) + "  - {type: training, framework: tf, resource: {kind: A}, "
                                    "pods: [{ownedBy: metadata.uid}]}\n"),
      HasSubstr("m.yaml:3: workloads[0].type: "));
  EXPECT_THAT(error_of(std::string(kHead) + "  - {type: training, framework: runai, "
                                            "resource: {kind: A}, pods: []}\n"),
              HasSubstr("workloads[0].pods: expected at least one way to find the pods"));
  EXPECT_THAT(error_of(std::string(kHead) + "  - {type: training, framework: runai, resource: "
                                            "{kind: A}, pods: [{ownedBy: a, uidIn: b}]}\n"),
              HasSubstr("workloads[0].pods[0]: expected one of label"));
  EXPECT_THAT(error_of(std::string(kHead) + "  - {type: training, framework: runai, resource: "
                                            "{kind: A}, pods: [{label: {}}]}\n"),
              HasSubstr("expected at least one label"));
  EXPECT_THAT(error_of(with("    names: []\n")), HasSubstr("names: expected at least one field"));
}

TEST(Mapping, BracesOfATemplatePairUp) {
  for (const char* name : {"{", "}", "a-{kind", "a-kind}", "{{kind}}", "}{"}) {
    EXPECT_THAT(error_of(with(std::string("    names: \"") + name + "\"\n")),
                HasSubstr("expected a field, or a template"))
        << name;
  }
  EXPECT_EQ(error_of(with("    names: \"{kind}-{metadata.name}\"\n")), "no error");
}

TEST(Mapping, PresetsCoverEveryPairOfTheContract) {
  for (const char* name : {"runai", "kubernetes"}) {
    const auto mapping = read_mapping(name);
    ASSERT_TRUE(mapping) << mapping.error().message;
    std::set<std::string> pairs;
    for (const MappingRow& row : mapping->rows) {
      pairs.insert(std::string(to_string(row.workload_class.type)) + "/" +
                   std::string(to_string(row.workload_class.framework)));
    }
    EXPECT_THAT(pairs, ElementsAre("distributed/jax", "distributed/mpi", "distributed/pytorch",
                                   "distributed/tf", "distributed/xgboost", "external/external",
                                   "inference/runai", "training/runai", "workspace/runai"))
        << name;
  }
}

TEST(Mapping, ExampleOfItsPageIsOne) {
  const auto page = read_file("docs/operate/mapping.md", 1_MiB);
  ASSERT_TRUE(page) << page.error().message;
  const std::size_t begin = page->find("```yaml\n") + 8;
  const std::string example = page->substr(begin, page->find("```", begin) - begin);
  const auto mapping = parse_mapping(example, "mapping.md");
  ASSERT_TRUE(mapping) << mapping.error().message;
  EXPECT_EQ(mapping->rows.size(), 1U);
}

TEST(Mapping, NeitherPresetNorPathIsAnError) {
  EXPECT_EQ(read_mapping("runia").error().message,
            "mapping: expected runai, kubernetes or a file's path, got \"runia\"");
  EXPECT_THAT(read_mapping("./none.yaml").error().message, HasSubstr("cannot be read"));
}

TEST(Field, IsFoundByItsPath) {
  const json::object o = object(R"({"a":{"b":{"c":"x"}},"n":3,"t":true,"z":null,"l":[1]})");
  EXPECT_EQ(field_of(o, "a.b.c"), "x");
  EXPECT_EQ(field_of(o, "n"), "3");
  EXPECT_EQ(field_of(o, "t"), "true");
  for (const char* path : {"a", "a.b", "a.x", "a.b.c.d", "z", "l", "n.m", "", ".", "a..b"}) {
    EXPECT_EQ(field_of(o, path), std::nullopt) << path;
  }
}

TEST(Field, WrappedScalarIsItsValue) {
  const json::object o = object(R"({"a":{"value":"x"},"b":{"value":{"c":1}},"d":{}})");
  EXPECT_EQ(field_of(o, "a"), "x");
  EXPECT_EQ(field_of(o, "a.value"), "x");
  EXPECT_EQ(field_of(o, "b"), std::nullopt);
  EXPECT_EQ(field_of(o, "d"), std::nullopt);
}

TEST(Field, OfEachObjectInAList) {
  const json::object o = object(R"({"c":[{"uid":"1"},{"x":2},"s",{"uid":"3"}],"d":{}})");
  EXPECT_THAT(fields_of_list(o, "c", "uid"), ElementsAre("1", "3"));
  EXPECT_THAT(fields_of_list(o, "d", "uid"), IsEmpty());
  EXPECT_THAT(fields_of_list(o, "none", "uid"), IsEmpty());
}

}  // namespace
}  // namespace sluice::backend::kubernetes
