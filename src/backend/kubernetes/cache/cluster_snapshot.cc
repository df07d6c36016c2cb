#include "backend/kubernetes/cache/cluster_snapshot.h"

#include <algorithm>

namespace sluice::backend::kubernetes {

Pods::const_iterator NamespaceSnapshot::position_of(std::string_view pod) const {
  return std::ranges::lower_bound(
      pods, pod, {}, [](const auto& record) { return std::string_view(record->name); });
}

std::shared_ptr<const PodRecord> NamespaceSnapshot::find_pod(std::string_view pod) const {
  const auto at = position_of(pod);
  return at != pods.end() && (*at)->name == pod ? *at : nullptr;
}

bool WatchedResource::is_known() const {
  return is_listed || state == WatchState::Missing || state == WatchState::Absent;
}

bool WatchedResource::is_awaited() const { return !is_known() && state != WatchState::Forbidden; }

const WatchedResource* ClusterSnapshot::find_resource(std::string_view name) const {
  const auto found = std::ranges::find(resources, name, &WatchedResource::name);
  return found != resources.end() ? &*found : nullptr;
}

bool ClusterSnapshot::knows(std::string_view resource) const {
  const WatchedResource* const found = find_resource(resource);
  return found != nullptr && found->is_known();
}

bool ClusterSnapshot::awaits(std::string_view resource) const {
  const WatchedResource* const found = find_resource(resource);
  return found == nullptr || found->is_awaited();
}

}  // namespace sluice::backend::kubernetes
