#include "backend/kubernetes/cache/cluster_cache.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "backend/kubernetes/api/api_client_test_support.h"
#include "backend/kubernetes/cache/resolver.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;
using testing::FakeBody;

constexpr std::string_view kMapping = R"(
namespaces: {label: team}
owners: [{group: apps, kind: ReplicaSet}, {group: example.org, kind: Run}]
workloads:
  - type: training
    framework: runai
    resource: {group: example.org, kind: Run}
    unless: {spec.usage: Template}
    pods: [{ownedBy: metadata.uid}]
)";
const std::string kNamespaces = "/api/v1/namespaces";
const std::string kPods = "/api/v1/pods";
const std::string kRuns = "/apis/example.org/v1/runs";
const std::string kReplicaSets = "/apis/apps/v1/replicasets";

/// What an event's object has besides its name, uid and namespace.
std::string event(const std::string& type, const std::string& name, const std::string& uid,
                  const std::string& meta = "", const std::string& rest = "") {
  return fmt::format(
      R"({{"type":"{}","object":{{"metadata":{{"namespace":"ns","name":"{}","uid":"{}",)"
      R"("resourceVersion":"5"{}}}{}}}}})"
      "\n",
      type, name, uid, meta, rest);
}
const std::string kEndOfList =
    R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":)"
    R"({"k8s.io/initial-events-end":"true"}}}})"
    "\n";

class ClusterCacheTest : public ApiClientFixture {
 protected:
  ClusterCacheTest() {
    serve_runs(true);
    server_.answer("/apis/apps/v1", 200,
                   R"({"resources":[{"name":"replicasets","kind":"ReplicaSet"}]})");
    for (const std::string& path : {kNamespaces, kPods, kRuns, kReplicaSets}) serve(path);
  }
  ~ClusterCacheTest() override { testing::run(loop_, cache_.stop()); }

  /// Every request for it is a watch, whose body write() writes.
  void serve(const std::string& path) {
    server_.on(path, [this, path](const testing::ApiCall&) {
      bodies_[path] = std::make_shared<FakeBody>();
      return bodies_[path];
    });
  }
  void serve_runs(bool served) {
    const std::string runs = R"({"name":"example.org","versions":[{"version":"v1"}]},)";
    server_.answer("/apis", 200,
                   R"({"groups":[)" + (served ? runs : "") +
                       R"({"name":"apps","versions":[{"version":"v1"}]}]})");
    server_.answer("/apis/example.org/v1", 200, R"({"resources":[{"name":"runs","kind":"Run"}]})");
  }
  void write(const std::string& path, const std::string& text) {
    bodies_.at(path)->write(text);
    settle();
  }
  /// Lets what happened become visible.
  void settle() {
    testing::run_until_idle(loop_);
    clock_.advance(ClusterCache::kPublishInterval);
  }
  void cut(const std::string& path) {
    bodies_.at(path)->cut();
    testing::run_until_idle(loop_);
    clock_.advance(std::chrono::minutes(1));
  }
  void start() {
    cache_.start();
    settle();
  }
  void start_listed_without_runs() {
    start();
    write(kNamespaces, event("ADDED", "ns", "n-1", R"(,"labels":{"team":"p"})") + kEndOfList);
    write(kReplicaSets, kEndOfList);
    write(kPods, kEndOfList);
  }
  void start_listed() {
    start_listed_without_runs();
    write(kRuns, event("ADDED", "r", "r-1") + kEndOfList);
  }
  static std::string pod(const std::string& type, const std::string& name, const std::string& uid,
                         const std::string& owner = "r-1") {
    return event(type, name, uid, fmt::format(R"(,"ownerReferences":[{{"uid":"{}"}}])", owner),
                 R"(,"spec":{"containers":[{"name":"main"}]})");
  }

  /// The pod's name and uid, or what is wrong.
  std::string resolved() {
    const auto snapshot = cache_.snapshot();
    const auto found = Resolver(*snapshot, mapping_).resolve(kRun, {});
    return found ? found->pod.name + " " + found->pod.uid : found.error().message;
  }
  std::string listed() {
    const auto snapshot = cache_.snapshot();
    const auto list = Resolver(*snapshot, mapping_).list("p");
    return list ? fmt::format("{} workloads", list->size()) : list.error().message;
  }
  WatchState state(std::string_view name) {
    for (const WatchedResource& resource : cache_.snapshot()->resources) {
      if (resource.name == name) return resource.state;
    }
    ADD_FAILURE() << name;
    return {};
  }
  std::shared_ptr<const PodRecord> find_pod(const std::string& name) {
    return cache_.snapshot()->namespaces.at("ns")->find_pod(name);
  }

  inline static const workload::WorkloadRef kRun{"p", workload::WorkloadType::Training,
                                                 workload::Framework::Runai, "r"};
  const Mapping mapping_ = *parse_mapping(kMapping, "m.yaml");
  std::map<std::string, std::shared_ptr<FakeBody>> bodies_;
  ClusterCache cache_{client_, mapping_, loop_.executor(), clock_, random_};
};

TEST_F(ClusterCacheTest, EverythingIsKnownOnceItIsListed) {
  start();
  EXPECT_EQ(resolved(), "the cluster's namespaces are not known yet; try again");
  write(kNamespaces, event("ADDED", "ns", "n-1", R"(,"labels":{"team":"p"})") + kEndOfList);
  EXPECT_EQ(resolved(), "the cluster's workloads are not known yet; try again");
  write(kRuns, event("ADDED", "r", "r-1") + kEndOfList);
  EXPECT_EQ(resolved(), "the cluster's pods are not known yet; try again");
  write(kPods, pod("ADDED", "r-0", "p-1") + kEndOfList);
  EXPECT_EQ(resolved(), "r-0 p-1");
  for (const char* name : {"namespaces", "pods", "Run.example.org"}) {
    EXPECT_EQ(state(name), WatchState::Current) << name;
  }
  EXPECT_EQ(state("ReplicaSet.apps"), WatchState::Starting);
}

TEST_F(ClusterCacheTest, IsStartedWhenEachResourceHasItsFirstAnswer) {
  start();
  for (const std::string& path : {kNamespaces, kPods, kRuns}) {
    EXPECT_FALSE(cache_.is_started());
    write(path, kEndOfList);
  }
  EXPECT_FALSE(cache_.is_started());
  write(kReplicaSets, kEndOfList);
  EXPECT_TRUE(cache_.is_started());
}

TEST_F(ClusterCacheTest, IsStartedWithoutAKindThatIsNotServed) {
  serve_runs(false);
  start_listed_without_runs();
  EXPECT_TRUE(cache_.is_started());
}

TEST_F(ClusterCacheTest, OwnersBetweenWorkloadAndPodAreFollowed) {
  start_listed();
  write(kPods, pod("ADDED", "r-0", "p-1", "rs-1"));
  EXPECT_EQ(resolved(), "workload \"r\" has no pods yet");
  write(kReplicaSets, event("ADDED", "rs", "rs-1", R"(,"ownerReferences":[{"uid":"r-1"}])"));
  EXPECT_EQ(resolved(), "r-0 p-1");
  write(kReplicaSets, event("DELETED", "rs", "rs-1"));
  EXPECT_EQ(resolved(), "workload \"r\" has no pods yet");
}

TEST_F(ClusterCacheTest, NamespaceMayAppearBeRelabelledAndVanish) {
  start_listed();
  write(kPods, pod("ADDED", "r-0", "p-1"));
  write(kNamespaces, event("MODIFIED", "ns", "n-1", R"(,"labels":{"team":"q"})"));
  EXPECT_EQ(resolved(), "project \"p\" does not exist");
  write(kNamespaces, event("MODIFIED", "ns", "n-1", R"(,"labels":{"team":"p"})"));
  EXPECT_EQ(resolved(), "r-0 p-1");
  write(kNamespaces, event("DELETED", "ns", "n-1"));
  EXPECT_EQ(resolved(), "project \"p\" does not exist");
}

TEST_F(ClusterCacheTest, ObjectThatStopsMatchingItsRowIsNoWorkload) {
  start_listed();
  write(kRuns, event("MODIFIED", "r", "r-1", "", R"(,"spec":{"usage":"Template"})"));
  EXPECT_EQ(resolved(), "workload \"r\" of type training not found in project \"p\"");
  write(kRuns, event("MODIFIED", "r", "r-1"));
  EXPECT_EQ(resolved(), "workload \"r\" has no pods yet");
}

TEST_F(ClusterCacheTest, WhatANewListDoesNotNameIsGone) {
  start_listed();
  write(kPods, pod("ADDED", "r-0", "p-1") + pod("ADDED", "r-1", "p-2"));
  server_.on(kPods, [this, calls = 0](const testing::ApiCall&) mutable {
    bodies_[kPods] = std::make_shared<FakeBody>();
    return ++calls == 1 ? testing::ApiAnswer(http::Response{{410, {}}, "{}"}) : bodies_[kPods];
  });
  cut(kPods);
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(resolved(), "r-0 p-1");  // until the list is whole
  write(kPods, pod("ADDED", "r-1", "p-2"));
  EXPECT_EQ(resolved(), "r-0 p-1");
  write(kPods, kEndOfList);
  EXPECT_EQ(resolved(), "r-1 p-2");
}

TEST_F(ClusterCacheTest, ObjectMadeAnewDuringAListIsNotLostWithItsForerunner) {
  start_listed();
  write(kPods, pod("ADDED", "r-0", "p-1"));
  for (const std::string& path : {kNamespaces, kRuns, kPods}) {
    write(path, R"({"type":"ERROR","object":{"code":410}})"
                "\n");
  }
  clock_.advance(std::chrono::minutes(1));
  write(kNamespaces, event("ADDED", "ns", "n-2", R"(,"labels":{"team":"p"})") + kEndOfList);
  write(kRuns, event("ADDED", "r", "r-2") + kEndOfList);
  write(kPods, pod("ADDED", "r-0", "p-2", "r-2") + kEndOfList);
  EXPECT_EQ(resolved(), "r-0 p-2");
  EXPECT_EQ(cache_.snapshot()->namespaces.at("ns")->workloads.size(), 1U);
  write(kPods, pod("DELETED", "r-0", "p-1"));  // says nothing of the new one
  EXPECT_EQ(resolved(), "r-0 p-2");
}

TEST_F(ClusterCacheTest, KindThatVanishesIsMissingAndThatComesBackIsWatchedAgain) {
  start_listed();
  serve_runs(false);
  server_.answer(kRuns, 404, "{}");
  cut(kRuns);
  settle();
  EXPECT_EQ(state("Run.example.org"), WatchState::Missing);
  EXPECT_EQ(resolved(), "workload \"r\" of type training not found in project \"p\"");

  serve(kRuns);
  serve_runs(true);
  clock_.advance(ClusterCache::kDiscoveryInterval);
  settle();
  EXPECT_EQ(state("Run.example.org"), WatchState::Starting);
  EXPECT_EQ(resolved(), "the cluster's workloads are not known yet; try again");
  write(kRuns, event("ADDED", "r", "r-3") + kEndOfList);
  EXPECT_EQ(resolved(), "workload \"r\" has no pods yet");
}

TEST_F(ClusterCacheTest, KindThatIsInstalledLaterIsFound) {
  serve_runs(false);
  start_listed_without_runs();
  EXPECT_EQ(state("Run.example.org"), WatchState::Missing);
  serve_runs(true);
  clock_.advance(ClusterCache::kDiscoveryInterval);
  EXPECT_EQ(state("Run.example.org"), WatchState::Starting);
}

TEST_F(ClusterCacheTest, KindWhoseServerFailsIsNotMissing) {
  server_.answer("/apis/example.org/v1", 503, "");
  start_listed_without_runs();
  EXPECT_EQ(state("Run.example.org"), WatchState::Failing);
  EXPECT_EQ(resolved(), "the cluster's workloads are not known yet; try again");
}

TEST_F(ClusterCacheTest, ListIsGivenWithoutAKindThatIsForbidden) {
  server_.answer(kRuns, 403, R"({"message":"the gateway can't list runs"})");
  start_listed_without_runs();
  EXPECT_EQ(listed(), "the cluster's workloads are not known yet; try again");
  clock_.advance(ApiClient::kDenialPatience + seconds(30));
  EXPECT_EQ(state("Run.example.org"), WatchState::Forbidden);
  EXPECT_EQ(listed(), "0 workloads");
  EXPECT_EQ(resolved(), "the cluster does not let the gateway see workloads of type training");

  serve(kRuns);
  clock_.advance(seconds(30));
  write(kRuns, event("ADDED", "r", "r-1") + kEndOfList);
  EXPECT_EQ(listed(), "1 workloads");
}

TEST_F(ClusterCacheTest, ListIsGivenWithoutAKindThatMayNotBeLookedFor) {
  server_.answer("/apis/example.org/v1", 403, "");
  start_listed_without_runs();
  EXPECT_EQ(state("Run.example.org"), WatchState::Forbidden);
  EXPECT_EQ(listed(), "0 workloads");
}

TEST_F(ClusterCacheTest, KindOfAWorkloadThatIsAnOwnerTooIsWatchedOnce) {
  start_listed();
  EXPECT_EQ(std::ranges::count(server_.calls(), kRuns, &testing::ApiCall::path), 1);
}

TEST_F(ClusterCacheTest, OnlyKindsThatAreNotWatchedAreLookedFor) {
  start_listed();
  const std::size_t calls = server_.calls().size();
  clock_.advance(5 * ClusterCache::kDiscoveryInterval);
  EXPECT_EQ(server_.calls().size(), calls);
}

TEST_F(ClusterCacheTest, ServerThatDeniesPodsIsNotBelieved) {
  start_listed();
  write(kPods, pod("ADDED", "r-0", "p-1"));
  server_.answer(kPods, 404, "not the API server");
  cut(kPods);
  settle();
  EXPECT_EQ(state("pods"), WatchState::Failing);
  EXPECT_EQ(resolved(), "r-0 p-1");
  serve(kPods);
  clock_.advance(std::chrono::minutes(1));
  write(kPods, kEndOfList);
  EXPECT_EQ(state("pods"), WatchState::Current);
  EXPECT_EQ(resolved(), "workload \"r\" has no pods yet");
}

TEST_F(ClusterCacheTest, BurstOfEventsIsPublishedAtOnce) {
  start_listed();
  clock_.advance(ClusterCache::kPublishInterval);
  bodies_.at(kPods)->write(pod("ADDED", "r-0", "p-0"));
  testing::run_until_idle(loop_);
  const auto first = cache_.snapshot();
  EXPECT_NE(find_pod("r-0"), nullptr);  // the first without delay
  for (int i = 1; i < 100; ++i) {
    bodies_.at(kPods)->write(pod("ADDED", fmt::format("r-{}", i), fmt::format("p-{}", i)));
    testing::run_until_idle(loop_);
  }
  EXPECT_EQ(cache_.snapshot(), first);
  clock_.advance(ClusterCache::kPublishInterval);
  EXPECT_NE(find_pod("r-99"), nullptr);
}

class PodWatchTest : public ClusterCacheTest {
 protected:
  PodWatchTest() {
    start_listed();
    write(kPods, pod("ADDED", "r-0", "p-1"));
  }
  std::unique_ptr<PodWatch> watch() { return cache_.watch(find_pod("r-0"), loop_.executor()); }
  bool was_woken(PodWatch& watch) { return testing::was_woken(loop_, watch); }
};

TEST_F(PodWatchTest, TellsOfChangesAndOfTheEnd) {
  const auto watched = watch();
  EXPECT_FALSE(was_woken(*watched));
  EXPECT_FALSE(watched->current()->deleting);
  write(kPods, event("MODIFIED", "r-0", "p-1", R"(,"deletionTimestamp":"x")"));
  EXPECT_TRUE(was_woken(*watched));
  EXPECT_TRUE(watched->current()->deleting);
  write(kPods, pod("MODIFIED", "r-1", "p-2"));
  EXPECT_FALSE(was_woken(*watched));
  write(kPods, pod("DELETED", "r-0", "p-1"));
  EXPECT_TRUE(was_woken(*watched));
  EXPECT_EQ(watched->current(), nullptr);
}

TEST_F(PodWatchTest, DeletionBetweenResolvingAndWatchingIsNotMissed) {
  const auto resolved = find_pod("r-0");
  write(kPods, pod("DELETED", "r-0", "p-1"));
  const auto watched = cache_.watch(resolved, loop_.executor());
  EXPECT_TRUE(was_woken(*watched));
  EXPECT_EQ(watched->current(), nullptr);
}

TEST_F(PodWatchTest, ChangeBetweenResolvingAndWatchingIsNotMissed) {
  const auto resolved = find_pod("r-0");
  write(kPods, event("MODIFIED", "r-0", "p-1", R"(,"deletionTimestamp":"x")"));
  const auto watched = cache_.watch(resolved, loop_.executor());
  EXPECT_TRUE(was_woken(*watched));
  EXPECT_TRUE(watched->current()->deleting);
}

TEST_F(PodWatchTest, PodMadeAnewIsAnotherOne) {
  const auto resolved = find_pod("r-0");
  const auto before = watch();
  write(kPods, pod("ADDED", "r-0", "p-2"));  // the deletion was never told
  EXPECT_EQ(before->current(), nullptr);
  const auto after = cache_.watch(resolved, loop_.executor());
  EXPECT_TRUE(was_woken(*after));
  EXPECT_EQ(after->current(), nullptr);
  EXPECT_EQ(watch()->current()->uid, "p-2");
}

TEST_F(PodWatchTest, EachWatchOfAPodIsTold) {
  auto first = watch();
  const auto second = watch();
  write(kPods, pod("MODIFIED", "r-0", "p-1"));
  EXPECT_TRUE(was_woken(*first));
  EXPECT_TRUE(was_woken(*second));
  bodies_.at(kPods)->write(pod("DELETED", "r-0", "p-1"));
  first.reset();  // the news for it is under way
  settle();
  EXPECT_EQ(second->current(), nullptr);
}

TEST_F(PodWatchTest, OtherLoopsWatchAtTheSameTime) {
  // What a session's loop does, while the informers' loop publishes: for the thread sanitizer.
  const auto resolved = find_pod("r-0");
  std::atomic<bool> is_gone = false;
  net::EventLoop loop;  // outlives the session: the end of the pod may still be under way to it
  std::jthread session([&] {
    const auto watched = cache_.watch(resolved, loop.executor());
    while (watched->current() != nullptr) {
      const Result<> woken = testing::run(loop, watched->changed());
      if (!woken) return;
    }
    is_gone = cache_.snapshot() != nullptr;
  });
  for (int i = 0; i < 100; ++i) write(kPods, pod("MODIFIED", "r-0", "p-1"));
  write(kPods, pod("DELETED", "r-0", "p-1"));
  // One that began to watch only now is told by the informers' loop, which must run.
  while (!is_gone) testing::run_until_idle(loop_);
}

class ClusterChangesTest : public ClusterCacheTest {
 protected:
  ClusterChangesTest() { start_listed(); }
  bool was_woken(ChangeWatch& watch) { return testing::was_woken(loop_, watch); }
};

TEST_F(ClusterChangesTest, WatchesOfANamespaceAreToldOnceTheSnapshotShowsIt) {
  const auto own = cache_.changes().watch("ns", loop_.executor());
  const auto other = cache_.changes().watch("elsewhere", loop_.executor());
  EXPECT_FALSE(was_woken(*own));
  clock_.advance(ClusterCache::kPublishInterval);
  bodies_.at(kPods)->write(pod("ADDED", "r-0", "p-1"));
  EXPECT_TRUE(was_woken(*own));
  EXPECT_NE(find_pod("r-0"), nullptr);
  EXPECT_FALSE(was_woken(*other));
  write(kRuns, event("DELETED", "r", "r-1"));
  EXPECT_TRUE(was_woken(*own));
}

TEST_F(ClusterChangesTest, WhetherAKindIsKnownConcernsAll) {
  const auto watched = cache_.changes().watch("elsewhere", loop_.executor());
  serve_runs(false);
  server_.answer(kRuns, 404, "{}");
  cut(kRuns);
  settle();
  EXPECT_TRUE(was_woken(*watched));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
