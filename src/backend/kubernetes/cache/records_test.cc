#include "backend/kubernetes/cache/records.h"

#include <gmock/gmock.h>

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

json::object object(std::string_view text) { return json::parse(text)->get_object(); }

constexpr std::string_view kPod = R"({
  "metadata": {"namespace": "team", "name": "p-0", "uid": "u-1", "resourceVersion": "7",
    "creationTimestamp": "2026-01-02T03:04:05Z",
    "labels": {"role": "master", "other": "x"},
    "annotations": {"kubectl.kubernetes.io/default-container": "main"},
    "ownerReferences": [{"kind": "Job", "name": "p", "uid": "o-1"}, {"uid": "o-2"}]},
  "spec": {"nodeName": "n-1",
    "initContainers": [{"name": "init"}],
    "containers": [{"name": "side"}, {"name": "main", "stdin": true, "tty": true}],
    "ephemeralContainers": [{"name": "debug"}]},
  "status": {"phase": "Running", "hostIP": "10.0.0.1",
    "conditions": [{"type": "Initialized", "status": "False"}, {"type": "Ready", "status": "True"}],
    "initContainerStatuses": [
      {"name": "init", "state": {"terminated": {"reason": "Completed", "exitCode": 0,
        "startedAt": "2026-01-02T03:04:06Z"}}}],
    "containerStatuses": [
      {"name": "main", "state": {"running": {"startedAt": "2026-01-02T03:04:07Z"}}, "ready": true,
       "restartCount": 2, "containerID": "containerd://c",
       "lastState": {"terminated": {"exitCode": 1}}},
      {"name": "side", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {}},
      {"name": "unknown", "state": {}}]}})";

TEST(PodRecord, KeepsWhatRequestsNeed) {
  const PodRecord pod = read_pod(object(kPod), {"role", "absent"});
  EXPECT_EQ(pod.namespace_name, "team");
  EXPECT_EQ(pod.name, "p-0");
  EXPECT_EQ(pod.uid, "u-1");
  EXPECT_EQ(pod.phase, PodPhase::Running);
  EXPECT_FALSE(pod.deleting);
  EXPECT_TRUE(pod.ready);
  EXPECT_EQ(pod.created_at, WallTime(seconds(1767323045)));
  EXPECT_EQ(pod.reason, "CrashLoopBackOff");
  EXPECT_EQ(pod.node, "n-1");
  EXPECT_EQ(pod.node_address, "10.0.0.1");
  EXPECT_EQ(pod.default_container, "main");
  EXPECT_THAT(pod.owners, ElementsAre("o-1", "o-2"));
  EXPECT_THAT(pod.labels, ElementsAre(Pair("role", "master")));
}

TEST(PodRecord, ContainersAreInTheSpecsOrderMainOnesFirst) {
  const PodRecord pod = read_pod(object(kPod), {});
  std::vector<std::string> names;
  for (const ContainerRecord& container : pod.containers) names.push_back(container.name);
  ASSERT_THAT(names, ElementsAre("side", "main", "init", "debug"));
  const ContainerRecord& main = *pod.find_container("main");
  EXPECT_EQ(main.state, ContainerState::Running);
  EXPECT_TRUE(main.stdin && main.tty && main.has_previous);
  EXPECT_TRUE(main.ready);
  EXPECT_EQ(main.started_at, WallTime(seconds(1767323047)));
  EXPECT_EQ(main.restarts, 2);
  EXPECT_EQ(main.container_id, "containerd://c");
  const ContainerRecord& init = *pod.find_container("init");
  EXPECT_EQ(init.role, ContainerRole::Init);
  EXPECT_EQ(init.state, ContainerState::Terminated);
  EXPECT_EQ(init.exit_code, 0);
  EXPECT_EQ(init.started_at, WallTime(seconds(1767323046)));
  EXPECT_FALSE(init.ready);
  EXPECT_EQ(pod.find_container("side")->state, ContainerState::Waiting);
  EXPECT_FALSE(pod.find_container("side")->has_previous);
  EXPECT_EQ(pod.find_container("debug")->role, ContainerRole::Ephemeral);
  EXPECT_EQ(pod.find_container("none"), nullptr);
}

TEST(PodRecord, ReasonSaysHowAContainerFailed) {
  const auto reason = [](std::string_view terminated) {
    return read_pod(object(R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]},"status":{)"
                           R"("phase":"Failed","containerStatuses":[)"
                           R"({"name":"a","state":{"terminated":{"exitCode":0}}},)"
                           R"({"name":"b","state":{"terminated":)" +
                           std::string(terminated) + "}}]}}"),
                    {})
        .reason;
  };
  EXPECT_EQ(reason(R"({"exitCode":3,"reason":"Error"})"), "container b: exit code 3");
  EXPECT_EQ(reason(R"({"exitCode":137,"reason":"OOMKilled"})"),
            "container b: exit code 137, OOMKilled");
  EXPECT_EQ(reason(R"({"exitCode":0,"reason":"Completed"})"), "");
}

TEST(PodRecord, FieldsMayBeMissingOrOfAnotherType) {
  EXPECT_EQ(read_pod(object("{}"), {"a"}).phase, PodPhase::Pending);
  EXPECT_FALSE(read_pod(object("{}"), {"a"}).ready);
  EXPECT_FALSE(read_pod(object(R"({"metadata":{"creationTimestamp":"then"}})"), {}).created_at);
  const PodRecord pod = read_pod(
      object(R"({"metadata":{"name":7,"labels":[],"ownerReferences":[1]},"spec":{"containers":
        ["x",{"name":null}]},"status":{"phase":{},"containerStatuses":{}}})"),
      {"a"});
  EXPECT_EQ(pod.name, "");
  EXPECT_EQ(pod.containers.size(), 1U);
}

TEST(PodRecord, PodThatIsBeingDeletedSaysSo) {
  EXPECT_TRUE(read_pod(object(R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})"), {})
                  .deleting);
}

class WorkloadRecordTest : public ::testing::Test {
 protected:
  WorkloadRecord read(std::string_view row, std::string_view text) {
    const auto mapping = parse_mapping(
        "namespaces: {label: team}\nworkloads:\n  - {type: training, framework: runai, resource: "
        "{group: example.org, kind: RunKind}, " +
            std::string(row) + "}\n",
        "m.yaml");
    EXPECT_TRUE(mapping) << mapping.error().message;
    return read_workload(object(text), {"example.org", "RunKind"}, *mapping);
  }
  std::vector<std::string> names(std::string_view row, std::string_view text) {
    const WorkloadRecord record = read(row, text);
    return record.rows.empty() ? std::vector<std::string>{"no row"} : record.rows[0].names;
  }
};

TEST_F(WorkloadRecordTest, HasWhatItsRowAsksFor) {
  const WorkloadRecord record = read(
      "names: [metadata.name, spec.name], phase: status.phase, message: status.why, pods: [{label: "
      "{by: metadata.uid, kind: kind}}, {label: {by: spec.absent}}, {ownedBy: spec.uid}, "
      "{uidIn: status.children}]",
      R"({"metadata":{"name":"n","uid":"u","deletionTimestamp":"x"},
          "spec":{"name":{"value":"m"},"uid":"o"},
          "status":{"phase":"Running","why":"w","children":[{"uid":"1"},{"uid":"2"}]}})");
  EXPECT_EQ(record.kind, "RunKind");
  EXPECT_EQ(record.uid, "u");
  EXPECT_TRUE(record.deleting);
  ASSERT_EQ(record.rows.size(), 1U);
  const MatchedRow& row = record.rows[0];
  EXPECT_THAT(row.names, ElementsAre("n", "m"));
  EXPECT_EQ(row.phase, "Running");
  EXPECT_EQ(row.message, "w");
  EXPECT_THAT(row.pod_values, ElementsAre(ElementsAre("u", "RunKind"), IsEmpty(), ElementsAre("o"),
                                          ElementsAre("1", "2")));
}

TEST_F(WorkloadRecordTest, RowTakesWhatMatchesAllOfWhereAndNoneOfUnless) {
  constexpr std::string_view kConditions =
      "where: {spec.a: x, spec.b: \"1\"}, unless: {spec.c: y, spec.d: z}, pods: [{ownedBy: uid}]";
  const auto rows = [&](std::string_view spec) {
    return read(kConditions, R"({"metadata":{"name":"n"},"spec":)" + std::string(spec) + "}")
        .rows.size();
  };
  EXPECT_EQ(rows(R"({"a":"x","b":1})"), 1U);
  EXPECT_EQ(rows(R"({"a":{"value":"x"},"b":1,"c":"n"})"), 1U);
  EXPECT_EQ(rows(R"({"a":"x"})"), 0U);
  EXPECT_EQ(rows(R"({"a":"x","b":1,"d":"z"})"), 0U);
}

TEST_F(WorkloadRecordTest, TemplateMakesANameInLowerCase) {
  constexpr std::string_view kTemplate =
      "names: [\"ew-{kind}-{metadata.name}\", \"{spec.x}-{spec.y}\"], pods: [{ownedBy: uid}]";
  EXPECT_THAT(names(kTemplate, R"({"metadata":{"name":"n"},"spec":{"x":"A","y":"b"}})"),
              ElementsAre("ew-runkind-n", "a-b"));
  EXPECT_THAT(names(kTemplate, R"({"metadata":{"name":"n"}})"), ElementsAre("ew-runkind-n"));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
