// SnapshotBuilder: the working copy behind the snapshots. The informers change it; publish() makes
// what it holds a ClusterSnapshot, which shares all that has not changed since the one before.
// No I/O; one thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "backend/kubernetes/cache/cluster_snapshot.h"

namespace sluice::backend::kubernetes {

class SnapshotBuilder {
 public:
  void put_namespace(const std::string& name, std::string project);
  void remove_namespace(const std::string& name);
  void put_pod(std::shared_ptr<const PodRecord> pod);
  void remove_pod(const std::string& namespace_name, const std::string& name);
  void put_workload(const std::string& namespace_name,
                    std::shared_ptr<const WorkloadRecord> workload);
  void remove_workload(const std::string& namespace_name, const std::string& uid);
  /// `owners` may be empty: then there is nothing to keep.
  void put_owners(const std::string& namespace_name, const std::string& uid,
                  std::vector<std::string> owners);
  /// Watched resources keep the order in which they were first reported.
  void report(const std::string& resource, WatchState state, std::string message);

  std::shared_ptr<const PodRecord> find_pod(const std::string& namespace_name,
                                            const std::string& name) const;
  std::shared_ptr<const ClusterSnapshot> publish();

  struct Changes {
    std::set<std::string> namespaces;  // whose contents changed
    bool resources = false;            // what is known of some resource did
  };
  /// What was changed since the last time.
  Changes take_changes() { return std::exchange(changes_, {}); }

 private:
  struct Working {
    std::shared_ptr<NamespaceSnapshot> content;
    bool published = false;  // a snapshot shares it: copy before it is changed
  };
  NamespaceSnapshot& edit(const std::string& name);
  /// Drops a namespace of which nothing is left.
  void drop_if_empty(const std::string& name);

  std::map<std::string, Working, std::less<>> namespaces_;
  std::vector<WatchedResource> resources_;
  Changes changes_;
};

}  // namespace sluice::backend::kubernetes
