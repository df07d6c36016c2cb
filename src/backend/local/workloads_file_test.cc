#include "backend/local/workloads_file.h"

#include <gmock/gmock.h>

namespace sluice::backend::local {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// One project `p` with one workload of these keys.
Result<WorkloadsFile> parse_one(const std::string& keys) {
  return parse_workloads("projects:\n  p:\n    - {" + keys + "}\n", "/etc/w.yaml");
}
std::string error_of(const std::string& keys) {
  const Result<WorkloadsFile> result = parse_one(keys);
  return result ? "none" : result.error().message;
}

constexpr const char* kHead = "name: w, type: training, framework: runai, ";

TEST(WorkloadsFile, Defaults) {
  const WorkloadsFile file = *parse_one(std::string(kHead) + "containers: [{command: [a, b]}]");
  const WorkloadSpec& workload = file.workloads.at(0);
  EXPECT_EQ(workload.replicas, 1);
  const ContainerSpec& container = workload.containers.at(0);
  EXPECT_EQ(container.name, "w");
  EXPECT_THAT(container.command, ElementsAre("a", "b"));
  EXPECT_FALSE(container.stdin || container.tty);
  EXPECT_EQ(container.restart, RestartPolicy::Never);
  EXPECT_EQ(container.working_directory, "");
}

TEST(WorkloadsFile, EveryKey) {
  const WorkloadsFile file = *parse_workloads(R"(
projects:
  empty: []
  p:
    - name: ew-job-x
      type: external
      framework: external
      replicas: 0
      containers:
        - name: a
          command: [/bin/sh, -c, "echo"]
          env: {PORT: 8080, FLAG: true, TEXT: "a b"}
          workingDir: sub
          stdin: true
          tty: true
          restart: OnFailure
)",
                                              "/etc/w.yaml");
  EXPECT_THAT(file.projects, ElementsAre("empty", "p"));
  const WorkloadSpec& workload = file.workloads.at(0);
  EXPECT_EQ(workload.ref.type, workload::WorkloadType::External);
  EXPECT_EQ(workload.replicas, 0);
  const ContainerSpec& container = workload.containers.at(0);
  EXPECT_EQ(container.environment.at("PORT"), "8080");
  EXPECT_EQ(container.environment.at("FLAG"), "true");
  EXPECT_EQ(container.working_directory, "/etc/sub");
  EXPECT_TRUE(container.stdin && container.tty);
  EXPECT_EQ(container.restart, RestartPolicy::OnFailure);
}

TEST(WorkloadsFile, ErrorsNameFileLineKeyAndHint) {
  const std::string head = kHead;
  EXPECT_THAT(error_of(head + "containers: [{comand: [a]}]"),
              HasSubstr("comand: unknown key, did you mean command?"));
  EXPECT_THAT(error_of(head + "containers: [{name: a}]"), HasSubstr("missing key command"));
  EXPECT_THAT(
      error_of(head + "containers: [{command: [a], restrat: Never}]"),
      HasSubstr("/etc/w.yaml:3: projects.p[0].containers[0].restrat: unknown key, did you mean "
                "restart?"));
  EXPECT_THAT(error_of(head + "containers: [{command: sleep 5}]"), HasSubstr("expected a list"));
  EXPECT_THAT(error_of(head + "containers: [{command: []}]"), HasSubstr("no program"));
  EXPECT_THAT(error_of(head + "containers: []"), HasSubstr("at least one container"));
  EXPECT_THAT(error_of(head + "replicas: -1, containers: [{command: [a]}]"),
              HasSubstr("from 0 to"));
  EXPECT_THAT(error_of(head + "containers: [{command: [a], restart: Maybe}]"),
              HasSubstr("expected Never, OnFailure or Always"));
  EXPECT_THAT(error_of(head + "containers: [{command: [a], env: {A: [b]}}]"), HasSubstr("env.A"));
  EXPECT_THAT(error_of(head + "containers: [{command: [a]}, {command: [b]}]"), HasSubstr("twice"));
  EXPECT_THAT(error_of("name: W, type: training, framework: runai, containers: [{command: [a]}]"),
              HasSubstr("no valid name"));
}

TEST(WorkloadsFile, ABadKeyIsReportedAtItsOwnLine) {
  const std::string one =
      "\n    - name: w\n      type: training\n      framework: runai\n      containers:";
  const auto place_of = [](const std::string& text) {
    const std::string message = parse_workloads(text, "w.yaml").error().message;
    return message.substr(0, message.find(": ") + 1);
  };
  EXPECT_EQ(place_of("projects:\n  Project_1:" + one), "w.yaml:2:");
  EXPECT_EQ(place_of("projects:\n  p:\n    name: w\n"), "w.yaml:2:");
  EXPECT_EQ(place_of("projects:\n  - p\n"), "w.yaml:1:");
  EXPECT_EQ(place_of("projects:\n  p:" + one + "\n        []\n"), "w.yaml:6:");
  const std::string container = "\n        - command: [a]\n          env:\n            ";
  EXPECT_EQ(place_of("projects:\n  p:" + one + container + "A=B:\n              x\n"), "w.yaml:9:");
  EXPECT_EQ(place_of("projects:\n  p:" + one + container + "A:\n              [x]\n"), "w.yaml:9:");
}

TEST(WorkloadsFile, OnlyKnownPairsAndNotAny) {
  EXPECT_THAT(error_of("name: w, type: training, framework: mpi, containers: [{command: [a]}]"),
              HasSubstr("training/mpi"));
  EXPECT_THAT(error_of("name: w, type: training, framework: any, containers: [{command: [a]}]"),
              HasSubstr("one framework"));
}

TEST(WorkloadsFile, NamesAreUniqueWithinProjectAndType) {
  const std::string one =
      "{name: w, type: training, framework: runai, containers: [{command: [a]}]}";
  const std::string other =
      "{name: w, type: workspace, framework: runai, containers: [{command: [a]}]}";
  EXPECT_TRUE(parse_workloads("projects: {p: [" + one + "," + other + "], q: [" + one + "]}", "f"));
  EXPECT_THAT(parse_workloads("projects: {p: [" + one + "," + one + "]}", "f").error().message,
              HasSubstr("is there twice"));
}

TEST(WorkloadsFile, LogsAreKeptAsTheFileSays) {
  const WorkloadsFile file =
      *parse_one(std::string(kHead) +
                 "containers: [{command: [a], logs: {maxSize: 70000, maxFiles: 2, maxHeld: 0}}]");
  EXPECT_EQ(file.workloads.at(0).containers.at(0).logs, (LogLimits{70'000, 2, 0}));
}

}  // namespace
}  // namespace sluice::backend::local
