#include "backend/kubernetes/cache/resolver.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "backend/kubernetes/cache/snapshot_builder.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using workload::Framework;
using workload::WorkloadRef;
using workload::WorkloadType;

/// The preset for Run:ai; what the cluster has, each test says.
class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest() {
    builder_.report("namespaces", WatchState::Current, {});
    builder_.report("pods", WatchState::Current, {});
    for (const GroupKind& kind : mapping_.kinds()) {
      builder_.report(to_string(kind), WatchState::Current, {});
    }
    builder_.put_namespace("runai-p", "p");
  }

  void put_workload(const std::string& kind, const std::string& name,
                    const std::string& more = "") {
    const std::string text = R"({"metadata":{"name":")" + name + R"(","uid":"uid-)" + name + "-" +
                             kind + "\"}" + (more.empty() ? "" : "," + more) + "}";
    builder_.put_workload(
        "runai-p", std::make_shared<WorkloadRecord>(
                       read_workload(json::parse(text)->get_object(), {"run.ai", kind}, mapping_)));
  }
  void put_pod(const std::string& name, const std::string& labels, const std::string& more = "") {
    const std::string text = R"({"metadata":{"namespace":"runai-p","name":")" + name +
                             R"(","uid":"uid-)" + name + R"(","labels":{)" + labels + "}}" +
                             (more.empty() ? kOneContainer : "," + more) + "}";
    builder_.put_pod(std::make_shared<PodRecord>(
        read_pod(json::parse(text)->get_object(), mapping_.pod_labels())));
  }
  void put_training(const std::string& phase = "Running") {
    put_workload("TrainingWorkload", "t", R"("status":{"phase":")" + phase + "\"}");
  }
  std::string owner(const std::string& workload) {
    return R"("run.ai/top-owner-uid":"uid-)" + workload + "\"";
  }

  Result<workload::ContainerRef> resolve(const Target& target = {},
                                         const WorkloadRef& ref = kTraining) {
    const auto snapshot = builder_.publish();
    return Resolver(*snapshot, mapping_).resolve(ref, target);
  }
  Result<workload::WorkloadStatus> status(const WorkloadRef& ref = kTraining) {
    const auto snapshot = builder_.publish();
    return Resolver(*snapshot, mapping_).status(ref);
  }
  /// "pod/container", or what is wrong.
  std::string resolved(const Target& target = {}, const WorkloadRef& ref = kTraining) {
    const auto found = resolve(target, ref);
    return found ? found->pod.name + "/" + found->container : found.error().message;
  }

  /// "type/framework/name kind phase running/total", sorted.
  std::vector<std::string> listed(const std::string& project = "p") {
    const auto snapshot = builder_.publish();
    const auto list = Resolver(*snapshot, mapping_).list(project);
    if (!list) return {list.error().message};
    std::vector<std::string> lines;
    for (const workload::WorkloadStatus& status : *list) {
      const WorkloadRef& ref = status.workload;
      lines.push_back(fmt::format("{}/{}/{} {} {} {}/{}", to_string(ref.type),
                                  to_string(ref.framework), ref.name, status.kind, status.phase,
                                  status.pods.running, status.pods.total));
    }
    std::ranges::sort(lines);
    return lines;
  }
  std::vector<workload::PodStatus> pods(const WorkloadRef& ref = kTraining) {
    const auto snapshot = builder_.publish();
    return Resolver(*snapshot, mapping_).pods(ref).value();
  }

  inline static const WorkloadRef kTraining{"p", WorkloadType::Training, Framework::Runai, "t"};
  inline static const std::string kOneContainer = R"(,"spec":{"containers":[{"name":"main"}]})";
  const Mapping mapping_ = *read_mapping("runai");
  SnapshotBuilder builder_;
};

TEST_F(ResolverTest, WorkloadIsFoundWithItsPodAndContainer) {
  put_training();
  put_pod("t-0", owner("t-TrainingWorkload"));
  const auto found = resolve();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, (workload::ContainerRef{kTraining, {"p", "t-0", "uid-t-0"}, "main"}));
}

TEST_F(ResolverTest, ProjectWithoutANamespaceIsNotFound) {
  const auto found = status({"q", WorkloadType::Training, Framework::Runai, "t"});
  EXPECT_EQ(found.error().code, ErrorCode::NotFound);
  EXPECT_EQ(found.error().message, "project \"q\" does not exist");
}

TEST_F(ResolverTest, NamespaceIsTheLabelledOneElseTheOneWithThePrefix) {
  builder_.put_namespace("other", "q");
  builder_.put_namespace("runai-q", "");
  builder_.put_namespace("runai-r", "");
  builder_.put_namespace("runai-s", "somebody-elses");
  builder_.put_namespace("own", "");
  const auto snapshot = builder_.publish();
  const Resolver resolver(*snapshot, mapping_);
  EXPECT_EQ(resolver.namespace_of("q"), "other");
  EXPECT_EQ(resolver.namespace_of("r"), "runai-r");
  EXPECT_EQ(resolver.namespace_of("none"), "runai-none");
  EXPECT_EQ(status({"s", WorkloadType::Training, Framework::Runai, "t"}).error().code,
            ErrorCode::NotFound);
  EXPECT_EQ(status({"own", WorkloadType::Training, Framework::Runai, "t"}).error().code,
            ErrorCode::NotFound);
}

TEST_F(ResolverTest, ProjectMayBeNamedAsItsNamespaceWhereTheMappingSaysSo) {
  const Mapping mapping = *read_mapping("kubernetes");
  builder_.put_namespace("own", "");
  const auto snapshot = builder_.publish();
  EXPECT_EQ(Resolver(*snapshot, mapping).namespace_of("own"), "own");
  EXPECT_EQ(Resolver(*snapshot, mapping).namespace_of("p"), "runai-p");
}

TEST_F(ResolverTest, TwoNamespacesOfAProjectAreAnErrorThatNamesBoth) {
  builder_.put_namespace("second", "p");
  const auto found = status();
  EXPECT_EQ(found.error().code, ErrorCode::Internal);
  EXPECT_THAT(found.error().message, HasSubstr("two namespaces, runai-p and second"));
}

TEST_F(ResolverTest, NamespaceThatIsGoneIsNotFoundThoughItsPodsAreSeen) {
  put_pod("t-0", "");
  builder_.remove_namespace("runai-p");
  EXPECT_EQ(status().error().message, "project \"p\" does not exist");
}

TEST_F(ResolverTest, MissingWorkloadIsNotFound) {
  const auto found = status();
  EXPECT_EQ(found.error().code, ErrorCode::WorkloadNotFound);
  EXPECT_EQ(found.error().message, "workload \"t\" of type training not found in project \"p\"");
}

TEST_F(ResolverTest, TemplateIsNoWorkload) {
  put_workload("TrainingWorkload", "t", R"("spec":{"usage":"Template"})");
  EXPECT_EQ(status().error().code, ErrorCode::WorkloadNotFound);
}

TEST_F(ResolverTest, NameOfTheSpecIsANameToo) {
  put_workload("TrainingWorkload", "t-5f3a", R"("spec":{"name":{"value":"t"}})");
  put_pod("t-0", owner("t-5f3a-TrainingWorkload"));
  EXPECT_EQ(resolved(), "t-0/main");
}

TEST_F(ResolverTest, NameOfTheObjectComesBeforeThatOfAnotherOnesSpec) {
  put_workload("TrainingWorkload", "a", R"("spec":{"name":{"value":"t"}},"status":{"phase":"No"})");
  put_training("Yes");
  EXPECT_EQ(status()->phase, "Yes");
}

TEST_F(ResolverTest, FrameworkIsThatOfTheObject) {
  put_workload("DistributedWorkload", "d", R"("spec":{"jobType":"PyTorchJob"})");
  const auto of = [this](Framework framework) {
    return status({"p", WorkloadType::Distributed, framework, "d"});
  };
  EXPECT_EQ(of(Framework::PyTorch)->workload.framework, Framework::PyTorch);
  EXPECT_EQ(of(Framework::Any)->workload.framework, Framework::PyTorch);
  EXPECT_EQ(of(Framework::TensorFlow).error().code, ErrorCode::WorkloadNotFound);
  EXPECT_EQ(of(Framework::TensorFlow).error().message,
            "workload \"d\" of type distributed has framework pytorch, not tf");
}

TEST_F(ResolverTest, AnyNeverReachesAnExternalWorkload) {
  put_workload("ExternalWorkload", "ew-job-x");
  EXPECT_TRUE(status({"p", WorkloadType::External, Framework::External, "ew-job-x"}));
  for (const auto type :
       {WorkloadType::Workspace, WorkloadType::Training, WorkloadType::Distributed,
        WorkloadType::Inference, WorkloadType::External}) {
    EXPECT_EQ(status({"p", type, Framework::Any, "ew-job-x"}).error().code,
              ErrorCode::WorkloadNotFound);
  }
}

TEST_F(ResolverTest, WorkloadWithoutPodsIsNotFound) {
  put_training();
  EXPECT_EQ(resolve().error().code, ErrorCode::NotFound);
  EXPECT_EQ(resolved(), "workload \"t\" has no pods yet");
  EXPECT_EQ(status()->pods.total, 0);
}

TEST_F(ResolverTest, PodsAreThoseOfTheFirstSelectorThatFindsAny) {
  put_training();
  put_pod("by-name", R"("workloadName":"t","workloadKind":"TrainingWorkload")");
  EXPECT_EQ(resolved(), "by-name/main");
  put_pod("by-uid", owner("t-TrainingWorkload"));
  EXPECT_EQ(resolved(), "by-uid/main");
  EXPECT_EQ(status()->pods.total, 1);
}

TEST_F(ResolverTest, WorkloadOfTheSameNameAndAnotherKindHasPodsOfItsOwn) {
  put_training();
  put_workload("InteractiveWorkload", "t");
  put_pod("t-0", R"("workloadName":"t","workloadKind":"InteractiveWorkload")");
  EXPECT_EQ(resolved(), "workload \"t\" has no pods yet");
  EXPECT_EQ(resolved({}, {"p", WorkloadType::Workspace, Framework::Runai, "t"}), "t-0/main");
}

TEST_F(ResolverTest, OwnersAreFollowedToAnyDepthAndNotRoundInCircles) {
  put_training();
  const std::string owned = R"("spec":{"containers":[{"name":"main"}]})";
  const auto pod = json::parse(R"({"metadata":{"namespace":"runai-p","name":"t-0","uid":"uid-t-0",
    "ownerReferences":[{"uid":"replica-set"}]},)" +
                               owned + "}");
  builder_.put_pod(std::make_shared<PodRecord>(read_pod(pod->get_object(), {})));
  builder_.put_owners("runai-p", "replica-set", {"deployment", "replica-set"});
  builder_.put_owners("runai-p", "deployment", {"job"});
  builder_.put_owners("runai-p", "job", {"deployment"});
  EXPECT_EQ(resolved(), "workload \"t\" has no pods yet");
  builder_.put_owners("runai-p", "job", {"deployment", "uid-t-TrainingWorkload"});
  EXPECT_EQ(resolved(), "t-0/main");
}

TEST_F(ResolverTest, PodsOfAnExternalWorkloadMayBeListedByIt) {
  put_workload("ExternalWorkload", "ew-job-x", R"("status":{"childIds":[{"uid":"uid-x-1"}]})");
  put_pod("x-0", "");
  put_pod("x-1", "");
  EXPECT_EQ(resolved({}, {"p", WorkloadType::External, Framework::External, "ew-job-x"}),
            "x-1/main");
}

TEST_F(ResolverTest, DefaultPodIsTheMasterElseTheFirst) {
  put_training();
  const std::string of = owner("t-TrainingWorkload");
  put_pod("t-b", of);
  put_pod("t-a", of);
  EXPECT_EQ(resolved(), "t-a/main");
  put_pod("t-c", of + R"(,"training.kubeflow.org/job-role":"launcher")");
  EXPECT_EQ(resolved(), "t-c/main");
  put_pod("t-d", of + R"(,"runai/pod-index":"0-0")");
  EXPECT_EQ(resolved(), "t-d/main");
  EXPECT_EQ(resolved({.pod = "t-b", .container = {}}), "t-b/main");
}

TEST_F(ResolverTest, DefaultContainerIsTheAnnotatedOneElseTheNamesakeElseTheFirst) {
  put_training();
  const std::string of = owner("t-TrainingWorkload");
  const auto put = [&](const std::string& main, const std::string& init) {
    put_pod("t-0", of,
            R"("spec":{"containers":[)" + main + R"(],"initContainers":[)" + init + "]}");
  };
  put(R"({"name":"a"},{"name":"b"})", R"({"name":"t"})");
  EXPECT_EQ(resolved(), "t-0/a");
  put(R"({"name":"a"},{"name":"t"})", "");
  EXPECT_EQ(resolved(), "t-0/t");
  const auto annotated = json::parse(R"({"metadata":{"namespace":"runai-p","name":"t-0","uid":"u",
    "labels":{)" + of + R"(},"annotations":{"kubectl.kubernetes.io/default-container":"a"}},
    "spec":{"containers":[{"name":"t"},{"name":"a"}]}})");
  builder_.put_pod(
      std::make_shared<PodRecord>(read_pod(annotated->get_object(), mapping_.pod_labels())));
  EXPECT_EQ(resolved(), "t-0/a");
}

TEST_F(ResolverTest, WhatIsNotThereIsAnsweredWithWhatThereIs) {
  put_training();
  const std::string of = owner("t-TrainingWorkload");
  put_pod("t-0", of, R"("spec":{"containers":[{"name":"a"},{"name":"b"}]})");
  put_pod("t-1", of);
  put_pod("other", "");
  EXPECT_EQ(resolved({.pod = "other", .container = {}}),
            "pod \"other\" not in workload \"t\"; it has: t-0, t-1");
  EXPECT_EQ(resolved({.pod = {}, .container = "x"}),
            "container \"x\" not in pod \"t-0\"; it has: a, b");
  EXPECT_EQ(resolve({.pod = {}, .container = "x"}).error().code, ErrorCode::NotFound);
}

TEST_F(ResolverTest, PhaseAndMessageAreThePlatforms) {
  put_workload("TrainingWorkload", "t", R"("status":{"phase":"Suspending","phaseMessage":"why"})");
  const auto found = status();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->phase, "Suspending");
  EXPECT_EQ(found->message, "why");
  EXPECT_EQ(found->kind, "TrainingWorkload");
}

TEST_F(ResolverTest, PhaseThatTheObjectLacksIsThatOfItsPods) {
  put_workload("InferenceWorkload", "t");
  const WorkloadRef ref{"p", WorkloadType::Inference, Framework::Runai, "t"};
  const std::string of = owner("t-InferenceWorkload");
  const auto put = [&](const char* name, const std::string& phase) {
    put_pod(name, of, R"("status":{"phase":")" + phase + "\"}");
  };
  EXPECT_EQ(status(ref)->phase, "Pending");
  put("a", "Pending");
  EXPECT_EQ(status(ref)->phase, "Pending");
  put("b", "Running");
  EXPECT_EQ(status(ref)->phase, "Running");
  put("a", "Failed");
  EXPECT_EQ(status(ref)->phase, "Degraded");
  put("b", "Failed");
  EXPECT_EQ(status(ref)->phase, "Failed");
  put("a", "Succeeded");
  put("b", "Succeeded");
  EXPECT_EQ(status(ref)->phase, "Completed");
  put_workload("InferenceWorkload", "t", R"("x":1)");
}

TEST_F(ResolverTest, PodsAreCountedByTheirPhase) {
  put_training();
  const std::string of = owner("t-TrainingWorkload");
  int i = 0;
  for (const char* phase : {"Pending", "Unknown", "Running", "Running", "Succeeded", "Failed"}) {
    put_pod("t-" + std::to_string(i++), of,
            R"("status":{"phase":")" + std::string(phase) + R"(","reason":")" +
                (std::string(phase) == "Failed" ? "Evicted" : "") + "\"}");
  }
  const auto found = status();
  EXPECT_EQ(found->pods.total, 6);
  EXPECT_EQ(found->pods.pending, 2);
  EXPECT_EQ(found->pods.running, 2);
  EXPECT_EQ(found->pods.succeeded, 1);
  EXPECT_EQ(found->pods.failed, 1);
  EXPECT_EQ(found->message, "pod t-5: Evicted");
}

void expect_not_known(const Error& error, std::string_view what) {
  EXPECT_EQ(error.code, ErrorCode::Unavailable);
  EXPECT_EQ(error.message, "the cluster's " + std::string(what) + " are not known yet; try again");
  EXPECT_EQ(error.retry_after, seconds(1));
}

TEST_F(ResolverTest, WhatIsNotListedYetIsUnavailable) {
  // Not even tried, under way, or failing since the very beginning: nobody can tell.
  SnapshotBuilder fresh;
  expect_not_known(Resolver(*fresh.publish(), mapping_).status(kTraining).error(), "namespaces");
  fresh.report("namespaces", WatchState::Starting, {});
  expect_not_known(Resolver(*fresh.publish(), mapping_).status(kTraining).error(), "namespaces");
  fresh.report("namespaces", WatchState::Failing, "forbidden");
  expect_not_known(Resolver(*fresh.publish(), mapping_).status(kTraining).error(), "namespaces");
  fresh.put_namespace("runai-p", "p");
  expect_not_known(Resolver(*fresh.publish(), mapping_).status(kTraining).error(), "workloads");
  fresh.report("TrainingWorkload.run.ai", WatchState::Failing, "forbidden");
  expect_not_known(Resolver(*fresh.publish(), mapping_).status(kTraining).error(), "workloads");
  fresh.report("TrainingWorkload.run.ai", WatchState::Missing, {});
  EXPECT_EQ(Resolver(*fresh.publish(), mapping_).status(kTraining).error().code,
            ErrorCode::WorkloadNotFound);
}

TEST_F(ResolverTest, WhatTheGatewayMayNotSeeIsNeitherThereNorAbsent) {
  SnapshotBuilder fresh;
  fresh.report("namespaces", WatchState::Current, {});
  fresh.report("TrainingWorkload.run.ai", WatchState::Forbidden, "forbidden");
  fresh.put_namespace("runai-p", "p");
  const Error error = Resolver(*fresh.publish(), mapping_).status(kTraining).error();
  EXPECT_EQ(error.code, ErrorCode::Unavailable);
  EXPECT_EQ(error.message, "the cluster does not let the gateway see workloads of type training");
  EXPECT_EQ(error.retry_after, std::nullopt);
}

TEST_F(ResolverTest, PodsThatAreNotListedYetAreNotNone) {
  SnapshotBuilder fresh;
  fresh.put_namespace("runai-p", "p");
  const auto object = json::parse(R"({"metadata":{"name":"t","uid":"u"}})");
  fresh.put_workload("runai-p",
                     std::make_shared<WorkloadRecord>(read_workload(
                         object->get_object(), {"run.ai", "TrainingWorkload"}, mapping_)));
  const auto snapshot = fresh.publish();
  expect_not_known(Resolver(*snapshot, mapping_).resolve(kTraining, {}).error(), "pods");
  expect_not_known(Resolver(*snapshot, mapping_).status(kTraining).error(), "pods");
}

TEST_F(ResolverTest, WhatWasListedOnceStaysKnownWhileItsWatchFails) {
  put_training();
  for (const char* name : {"namespaces", "pods", "TrainingWorkload.run.ai"}) {
    builder_.report(name, WatchState::Failing, "no route");
  }
  EXPECT_EQ(resolved(), "workload \"t\" has no pods yet");
}

TEST_F(ResolverTest, PodIsTheOneThatWasResolved) {
  put_training();
  put_pod("t-0", owner("t-TrainingWorkload"));
  const auto snapshot = builder_.publish();
  const Resolver resolver(*snapshot, mapping_);
  EXPECT_EQ((*resolver.find_pod({"p", "t-0", "uid-t-0"}))->name, "t-0");
  EXPECT_EQ(resolver.find_pod({"p", "t-0", "made anew"}).error().message, "pod \"t-0\" is gone");
  EXPECT_EQ(resolver.find_pod({"p", "t-1", "uid-t-0"}).error().code, ErrorCode::NotFound);
}

TEST_F(ResolverTest, ListHasEachWorkloadWithItsPods) {
  EXPECT_THAT(listed(), IsEmpty());
  put_training();
  put_workload("TrainingWorkload", "template", R"("spec":{"usage":"Template"})");
  put_workload("DistributedWorkload", "d", R"("spec":{"jobType":"MPIJob"})");
  put_workload("InferenceWorkload", "t", R"("status":{"phase":"Pending"})");
  put_workload("ExternalWorkload", "ew-job-x",
               R"("status":{"childIds":[{"uid":"uid-x-1"},{"uid":"uid-x-0"},{"uid":"gone"}]})");
  const std::string running = R"("status":{"phase":"Running"})";
  put_pod("t-0", owner("t-TrainingWorkload"), running);
  put_pod("t-1", owner("t-TrainingWorkload"));
  put_pod("d-0", R"("workloadName":"d","workloadKind":"DistributedWorkload")", running);
  put_pod("d-1", R"("workloadName":"d","workloadKind":"OtherWorkload")", running);
  put_pod("x-0", "", running);
  put_pod("x-1", "");
  EXPECT_THAT(listed(), ElementsAre("distributed/mpi/d DistributedWorkload Running 1/1",
                                    "external/external/ew-job-x ExternalWorkload Running 1/2",
                                    "inference/runai/t InferenceWorkload Pending 0/0",
                                    "training/runai/t TrainingWorkload Running 1/2"));
}

TEST_F(ResolverTest, ListSaysOfEachWhatItsStatusSays) {
  put_training();
  put_workload("ExternalWorkload", "ew-job-x", R"("spec":{"originalWorkloadUID":"job"})");
  put_pod("t-0", owner("t-TrainingWorkload"), R"("status":{"phase":"Failed","reason":"Evicted"})");
  const auto pod = json::parse(R"({"metadata":{"namespace":"runai-p","name":"x-0","uid":"uid-x-0",
    "ownerReferences":[{"uid":"set"}]},"status":{"phase":"Running"}})");
  builder_.put_pod(std::make_shared<PodRecord>(read_pod(pod->get_object(), {})));
  builder_.put_owners("runai-p", "set", {"job", "set"});
  const auto snapshot = builder_.publish();
  const auto list = Resolver(*snapshot, mapping_).list("p");
  ASSERT_EQ(list->size(), 2U);
  for (const workload::WorkloadStatus& entry : *list) {
    EXPECT_EQ(entry, *status(entry.workload)) << entry.workload.name;
    EXPECT_EQ(entry.pods.total, 1) << entry.workload.name;
  }
}

TEST_F(ResolverTest, ListNamesEachByANameThatFindsIt) {
  // Both are known as t; the object of that name has it. The other one has a name of its own, too.
  put_workload("TrainingWorkload", "a", R"("spec":{"name":{"value":"t"}},"status":{"phase":"1"})");
  put_training("2");
  EXPECT_THAT(listed(), ElementsAre("training/runai/a TrainingWorkload 1 0/0",
                                    "training/runai/t TrainingWorkload 2 0/0"));
}

TEST_F(ResolverTest, ListLeavesOutWhatNoRequestCanReach) {
  const Mapping mapping = *parse_mapping(R"(
namespaces: {label: team}
workloads:
  - {type: workspace, framework: runai, resource: {group: apps, kind: First},
     pods: &owned [{ownedBy: metadata.uid}]}
  - {type: workspace, framework: runai, resource: {group: apps, kind: Second}, pods: *owned}
  - {type: inference, framework: runai, resource: {group: apps, kind: Second}, pods: *owned}
)",
                                         "m.yaml");
  SnapshotBuilder builder;
  builder.put_namespace("ns", "p");
  for (const char* resource : {"namespaces", "pods", "First.apps", "Second.apps"}) {
    builder.report(resource, WatchState::Current, {});
  }
  for (const char* kind : {"First", "Second"}) {
    const auto object = json::parse(fmt::format(R"({{"metadata":{{"name":"w","uid":"uid-{}",)"
                                                R"("creationTimestamp":"2026-01-02T03:04:05Z"}}}})",
                                                kind));
    builder.put_workload("ns", std::make_shared<WorkloadRecord>(
                                   read_workload(object->get_object(), {"apps", kind}, mapping)));
  }
  const auto snapshot = builder.publish();
  const Resolver resolver(*snapshot, mapping);
  const auto list = resolver.list("p");
  ASSERT_EQ(list->size(), 2U);
  for (const workload::WorkloadStatus& entry : *list) {
    EXPECT_EQ(entry.kind, entry.workload.type == WorkloadType::Workspace ? "First" : "Second");
    EXPECT_EQ(entry, *resolver.status(entry.workload));
    EXPECT_EQ(entry.created_at, WallTime(seconds(1767323045)));
  }
}

TEST_F(ResolverTest, ListIsNotGivenWhileAPartOfItIsNotKnown) {
  put_training();
  builder_.report("InferenceWorkload.run.ai", WatchState::Missing, {});
  EXPECT_EQ(listed().size(), 1U);
  builder_.report("InferenceWorkload.run.ai", WatchState::Starting, {});
  EXPECT_THAT(listed(), ElementsAre("the cluster's workloads are not known yet; try again"));
  EXPECT_THAT(listed("q"), ElementsAre("project \"q\" does not exist"));
}

TEST_F(ResolverTest, ListLacksKindsThatTheGatewayMayNotList) {
  put_training();
  builder_.report("InferenceWorkload.run.ai", WatchState::Missing, {});
  builder_.report("InferenceWorkload.run.ai", WatchState::Failing, "forbidden");
  EXPECT_THAT(listed(), ElementsAre("the cluster's workloads are not known yet; try again"));
  builder_.report("InferenceWorkload.run.ai", WatchState::Forbidden, "forbidden");
  EXPECT_EQ(listed().size(), 1U);
  builder_.report("pods", WatchState::Missing, {});
  builder_.report("pods", WatchState::Forbidden, "forbidden");
  EXPECT_THAT(listed(), ElementsAre("the cluster's pods are not known yet; try again"));
}

TEST_F(ResolverTest, PodsComeAsTheyWouldBecomeTheDefaultOne) {
  put_training();
  EXPECT_THAT(pods(), IsEmpty());
  const std::string of = owner("t-TrainingWorkload");
  put_pod("t-c", of);
  put_pod("t-b", of);
  put_pod("t-d", of + R"(,"training.kubeflow.org/job-role":"launcher")");
  put_pod("t-e", of + R"(,"training.kubeflow.org/job-role":"launcher","runai/pod-index":"0-0")");
  std::vector<std::string> names;
  for (const workload::PodStatus& pod : pods()) {
    EXPECT_EQ(pod.containers.front().is_default, true);
    names.push_back(pod.name);
  }
  EXPECT_THAT(names, ElementsAre("t-e", "t-d", "t-b", "t-c"));
  for (const std::string& name : names) {
    EXPECT_EQ(resolve()->pod.name, name);
    builder_.remove_pod("runai-p", name);
  }
}

TEST_F(ResolverTest, PodsTellWhatTheirRecordsKeep) {
  put_training();
  put_pod("t-0", owner("t-TrainingWorkload"),
          R"("spec":{"nodeName":"n-1","containers":[{"name":"side"},{"name":"t"}],
             "initContainers":[{"name":"init"}]},
             "status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"}],
               "containerStatuses":[
               {"name":"side","ready":true,"restartCount":2,
                "state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}},
               {"name":"t","restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]})");
  const workload::PodStatus pod = pods().at(0);
  EXPECT_EQ(pod.phase, "Running");
  EXPECT_FALSE(pod.ready);
  EXPECT_EQ(pod.node, "n-1");
  EXPECT_EQ(pod.reason, "CrashLoopBackOff");
  ASSERT_EQ(pod.containers.size(), 3U);
  EXPECT_TRUE(pod.containers[0].ready);
  EXPECT_EQ(pod.containers[0].restarts, 2);
  EXPECT_EQ(pod.containers[0].started_at, WallTime(seconds(1767323045)));
  EXPECT_TRUE(pod.containers[1].is_default);
  EXPECT_EQ(pod.containers[1].reason, "CrashLoopBackOff");
  EXPECT_EQ(pod.containers[1].state, workload::ContainerState::Waiting);
  EXPECT_EQ(pod.containers[2].role, workload::ContainerRole::Init);
}

TEST_F(ResolverTest, PodThatIsBeingDeletedIsTerminating) {
  put_training();
  const auto pod = json::parse(R"({"metadata":{"namespace":"runai-p","name":"t-0","uid":"u",
    "deletionTimestamp":"2026-01-01T00:00:00Z","labels":{)" +
                               owner("t-TrainingWorkload") + R"(}},"status":{"phase":"Running"}})");
  builder_.put_pod(std::make_shared<PodRecord>(read_pod(pod->get_object(), mapping_.pod_labels())));
  EXPECT_EQ(pods().at(0).phase, "Terminating");
}

}  // namespace
}  // namespace sluice::backend::kubernetes
