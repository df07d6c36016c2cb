// ClusterCache: the informers of everything that requests need to know (namespaces, pods, workload
// objects, and what stands between those) and the snapshot that they keep. It lives on the
// backend's loop; the snapshot and the pod watches are for all loops.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "backend/change_signal.h"
#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/cache/cluster_snapshot.h"
#include "backend/kubernetes/cache/discovery.h"
#include "backend/kubernetes/cache/mapping.h"
#include "backend/kubernetes/cache/pod_watch.h"
#include "backend/kubernetes/cache/reflector.h"
#include "backend/kubernetes/cache/snapshot_builder.h"
#include "net/event.h"
#include "net/event_loop.h"
#include "net/task_group.h"

namespace sluice::backend::kubernetes {

class ClusterCache {
 public:
  /// How often it looks whether a kind that was missing is served now.
  static constexpr nanoseconds kDiscoveryInterval = seconds(10);
  /// How far the snapshot may trail the events: a burst of them is published at once. Pod watches
  /// are told without delay.
  static constexpr nanoseconds kPublishInterval = milliseconds(10);

  /// `loop` is the one that start() and stop() run on. References outlive the cache.
  ClusterCache(ApiClient& client, const Mapping& mapping, net::Executor loop, net::Timers& timers,
               Random& random);
  ~ClusterCache();

  /// Begins to watch. On the loop, or before it runs.
  void start();
  /// Ends all watches. On the loop; before destruction.
  net::Task<> stop();

  /// The newest snapshot. Any thread.
  std::shared_ptr<const ClusterSnapshot> snapshot() const;
  /// Tells of new snapshots: by namespace, of what is in it; of all, what kinds are known.
  ChangeSignal& changes() { return changes_; }
  /// Whether the first answer about each resource is there: a list of it, that the cluster has none
  /// of it, or why it can't be listed. Any thread.
  bool is_started() const;
  /// Follows a pod of a snapshot. On the calling loop.
  std::unique_ptr<PodWatch> watch(std::shared_ptr<const PodRecord> pod, net::Executor executor);

 private:
  enum class Presence { Always, Required, Optional };  // whether a cluster serves a resource
  class Sink;
  class NamespaceSink;
  class PodSink;
  class WorkloadSink;
  class OwnerSink;
  struct Informer;

  void watch_builtin(std::string path, ObjectForm form, std::unique_ptr<Sink> sink);
  net::Task<> discover_kinds();
  std::set<GroupKind> all_kinds() const;
  std::vector<GroupKind> missing_kinds() const;
  void take(const Discovered& found);
  void add_informer(const ApiResource& resource);
  net::Task<> run(Informer& informer);
  net::Task<> run_for_ever(Informer& informer);
  net::Task<> publish_changes();
  void publish();

  ApiClient& client_;
  const Mapping& mapping_;
  net::Executor loop_;
  net::Timers& timers_;
  Random& random_;
  const std::vector<std::string> pod_labels_;
  std::map<GroupKind, std::unique_ptr<Informer>> informers_;  // of the kinds that are served now
  std::vector<std::unique_ptr<Informer>> builtin_;
  SnapshotBuilder builder_;
  net::Event changed_;  // what the builder holds is not published yet
  PodWatchRegistry watches_;
  ChangeSignal changes_;
  mutable std::mutex mutex_;  // held for the copy of one pointer
  std::shared_ptr<const ClusterSnapshot> snapshot_;
  net::TaskGroup tasks_;
};

}  // namespace sluice::backend::kubernetes
