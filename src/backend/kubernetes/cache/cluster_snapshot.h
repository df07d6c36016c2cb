// ClusterSnapshot: what the informers know of the cluster at one moment: namespaces, pods and
// workload objects, cut down to what requests need (under 2 KiB a pod). Immutable; any loop
// reads it, and no request asks the API server for what stands here.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/kubernetes/cache/records.h"

namespace sluice::backend::kubernetes {

using Pods = std::vector<std::shared_ptr<const PodRecord>>;

struct NamespaceSnapshot {
  std::string name;
  bool exists = false;  // the namespace itself; its contents may be seen before and after it
  std::string project;  // the value of the label that names it; empty: none
  Pods pods;            // sorted by name
  std::map<std::string, std::shared_ptr<const WorkloadRecord>, std::less<>> workloads;  // by uid
  /// What stands between workloads and pods, by uid: the uids of its owners.
  std::map<std::string, std::vector<std::string>, std::less<>> owners;

  /// Where the pod of that name is, or would be.
  Pods::const_iterator position_of(std::string_view pod) const;
  /// Null: there is none of that name.
  std::shared_ptr<const PodRecord> find_pod(std::string_view pod) const;
};

/// How well one watched resource is known.
enum class WatchState {
  Starting,  // its first list is under way
  Current,
  Missing,    // the cluster does not serve it (its CRD is not installed)
  Absent,     // the same, of a kind that the mapping calls optional
  Failing,    // the watch is broken since a while: what is known grows old
  Forbidden,  // the same, since the gateway may not list it
};

struct WatchedResource {
  std::string name;  // "pods", "TrainingWorkload.run.ai"
  WatchState state = WatchState::Starting;
  std::string message;     // why it is not Current
  bool is_listed = false;  // once at least: what is absent from the snapshot did not exist then

  /// Whether what is absent from the snapshot does not exist, as far as anybody can tell.
  bool is_known() const;
  /// Whether it is not known yet, and may be by itself in a moment.
  bool is_awaited() const;
};

struct ClusterSnapshot {
  std::map<std::string, std::shared_ptr<const NamespaceSnapshot>, std::less<>> namespaces;
  std::vector<WatchedResource> resources;

  /// Null: nobody watches it yet.
  const WatchedResource* find_resource(std::string_view name) const;
  /// Whether that resource is_known(); false too while nobody watches it yet.
  bool knows(std::string_view resource) const;
  /// Whether that resource is_awaited(); true too while nobody watches it yet.
  bool awaits(std::string_view resource) const;
};

}  // namespace sluice::backend::kubernetes
