#include "backend/kubernetes/cache/snapshot_builder.h"

#include <gmock/gmock.h>

namespace sluice::backend::kubernetes {
namespace {

std::shared_ptr<const PodRecord> pod(const std::string& space, const std::string& name) {
  PodRecord record;
  record.namespace_name = space;
  record.name = name;
  record.uid = "uid-" + name;
  return std::make_shared<const PodRecord>(std::move(record));
}

TEST(SnapshotBuilder, SnapshotKeepsWhatItShowed) {
  SnapshotBuilder builder;
  builder.put_pod(pod("a", "p"));
  const auto before = builder.publish();
  builder.put_pod(pod("a", "q"));
  builder.remove_pod("a", "p");
  const auto after = builder.publish();
  EXPECT_EQ(before->namespaces.at("a")->pods.size(), 1U);
  EXPECT_NE(before->namespaces.at("a")->find_pod("p"), nullptr);
  EXPECT_EQ(after->namespaces.at("a")->find_pod("p"), nullptr);
  EXPECT_NE(after->namespaces.at("a")->find_pod("q"), nullptr);
}

TEST(SnapshotBuilder, NamespaceThatDidNotChangeIsShared) {
  SnapshotBuilder builder;
  builder.put_pod(pod("a", "p"));
  builder.put_pod(pod("b", "p"));
  const auto before = builder.publish();
  builder.put_pod(pod("a", "q"));
  const auto after = builder.publish();
  EXPECT_EQ(before->namespaces.at("b"), after->namespaces.at("b"));
  EXPECT_NE(before->namespaces.at("a"), after->namespaces.at("a"));
}

TEST(SnapshotBuilder, PodsAreSortedAndEachNameIsThereOnce) {
  SnapshotBuilder builder;
  for (const char* name : {"c", "a", "b", "a", "c"}) builder.put_pod(pod("n", name));
  std::string names;
  for (const auto& record : builder.publish()->namespaces.at("n")->pods) names += record->name;
  EXPECT_EQ(names, "abc");
  EXPECT_EQ(builder.find_pod("n", "b")->uid, "uid-b");
  EXPECT_EQ(builder.find_pod("n", "d"), nullptr);
  EXPECT_EQ(builder.find_pod("m", "a"), nullptr);
}

TEST(SnapshotBuilder, NamespaceOfWhichNothingIsLeftIsForgotten) {
  SnapshotBuilder builder;
  builder.put_namespace("n", "project");
  builder.put_pod(pod("n", "p"));
  builder.put_owners("n", "u", {"o"});
  builder.put_workload(
      "n", std::make_shared<WorkloadRecord>(WorkloadRecord{.kind = {}, .uid = "w", .rows = {}}));
  builder.remove_namespace("n");
  builder.remove_pod("n", "p");
  builder.put_owners("n", "u", {});
  EXPECT_FALSE(builder.publish()->namespaces.at("n")->exists);
  builder.remove_workload("n", "w");
  EXPECT_TRUE(builder.publish()->namespaces.empty());
}

TEST(SnapshotBuilder, RemovingWhatIsNotThereChangesNothing) {
  SnapshotBuilder builder;
  builder.put_pod(pod("n", "p"));
  builder.remove_pod("n", "o");
  builder.remove_pod("n", "q");
  builder.remove_namespace("m");
  builder.remove_workload("m", "u");
  builder.put_owners("m", "u", {});
  const auto snapshot = builder.publish();
  EXPECT_EQ(snapshot->namespaces.size(), 1U);
  EXPECT_EQ(snapshot->namespaces.at("n")->pods.size(), 1U);
}

TEST(SnapshotBuilder, ResourceIsKnownOnceItWasListedAndUntilItIsMissing) {
  SnapshotBuilder builder;
  const auto knows = [&] { return builder.publish()->knows("pods"); };
  EXPECT_FALSE(knows());
  builder.report("pods", WatchState::Starting, {});
  EXPECT_FALSE(knows());
  builder.report("pods", WatchState::Failing, "why");
  EXPECT_FALSE(knows());
  builder.report("pods", WatchState::Current, {});
  builder.report("pods", WatchState::Failing, "why");
  EXPECT_TRUE(knows());
  builder.report("pods", WatchState::Missing, {});
  EXPECT_TRUE(knows());  // that there is none
  builder.report("pods", WatchState::Starting, {});
  EXPECT_FALSE(knows());
}

TEST(SnapshotBuilder, ChangesNameTheNamespacesSinceTheLastTime) {
  SnapshotBuilder builder;
  builder.put_namespace("a", "");
  builder.put_namespace("b", "");
  builder.report("pods", WatchState::Current, {});
  const SnapshotBuilder::Changes first = builder.take_changes();
  EXPECT_EQ(first.namespaces, (std::set<std::string>{"a", "b"}));
  EXPECT_TRUE(first.resources);
  builder.remove_namespace("b");
  const SnapshotBuilder::Changes second = builder.take_changes();
  EXPECT_EQ(second.namespaces, std::set<std::string>{"b"});
  EXPECT_FALSE(second.resources);
  EXPECT_TRUE(builder.take_changes().namespaces.empty());
}

}  // namespace
}  // namespace sluice::backend::kubernetes
