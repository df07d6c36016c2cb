// Resolver: from what a request names to what there is, by the mapping and a snapshot. Pure: it
// looks at nothing else, so an answer costs no call and the same question has the same answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/kubernetes/cache/cluster_snapshot.h"
#include "backend/kubernetes/cache/mapping.h"
#include "backend/options.h"
#include "workload/status.h"
#include "workload/workload_ref.h"

namespace sluice::backend::kubernetes {

/// Both outlive the resolver, which is made for one answer.
class Resolver {
 public:
  Resolver(const ClusterSnapshot& snapshot, const Mapping& mapping)
      : snapshot_(snapshot), mapping_(mapping) {}

  /// The namespace that a project has, or would have if it were there.
  std::string namespace_of(std::string_view project) const;

  /// Errors: NotFound (project), WorkloadNotFound, Internal (two namespaces claim the project),
  /// Unavailable (not known yet, or its kind is forbidden to the gateway).
  Result<workload::WorkloadStatus> status(const workload::WorkloadRef& workload) const;
  /// Errors: as status(); NotFound with the names there are.
  Result<workload::ContainerRef> resolve(const workload::WorkloadRef& workload,
                                         const Target& target) const;
  /// The workload's pods, the default one first, then as they would take its place. Errors: as
  /// status().
  Result<std::vector<workload::PodStatus>> pods(const workload::WorkloadRef& workload) const;
  /// Every workload of the project, in no order, but of kinds that the gateway may not list.
  /// Errors: NotFound, Internal, Unavailable, as status(); the last one also while another kind of
  /// the mapping's is not known yet.
  Result<std::vector<workload::WorkloadStatus>> list(const std::string& project) const;
  /// The pod that resolve() found. Errors: NotFound: it is gone meanwhile.
  Result<std::shared_ptr<const PodRecord>> find_pod(const workload::PodRef& pod) const;

 private:
  struct Found {
    const NamespaceSnapshot* space = nullptr;
    const WorkloadRecord* record = nullptr;
    const MatchedRow* match = nullptr;
    workload::WorkloadRef ref;  // framework as found
  };

  Result<const NamespaceSnapshot*> find_namespace(std::string_view project) const;
  Result<Found> find_workload(const workload::WorkloadRef& workload) const;
  std::optional<Found> search(const NamespaceSnapshot& space,
                              const workload::WorkloadRef& workload) const;
  Error not_found(const NamespaceSnapshot& space, const workload::WorkloadRef& workload) const;
  std::vector<Found> find_all(const NamespaceSnapshot& space, const std::string& project) const;
  template <typename Candidates>
  Pods pods_of(const Found& found, Candidates candidates) const;
  Pods pods_of(const Found& found) const;
  workload::WorkloadStatus status_of(const Found& found, const Pods& pods) const;
  Result<const PodRecord*> choose_pod(const Pods& pods, const workload::WorkloadRef& workload,
                                      const std::string& name) const;
  std::size_t rank_of(const PodRecord& pod) const;
  const PodRecord& default_pod(const Pods& pods) const;

  const ClusterSnapshot& snapshot_;
  const Mapping& mapping_;
};

}  // namespace sluice::backend::kubernetes
