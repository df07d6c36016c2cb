#include "backend/kubernetes/cache/pod_selection.h"

#include <algorithm>
#include <set>

namespace sluice::backend::kubernetes {
namespace {

/// Calls `visit` with each of `owners`, their owners, and so on, each once; until it returns true.
template <typename Visit>
bool any_owner(const NamespaceSnapshot& space, const std::vector<std::string>& owners,
               Visit visit) {
  std::vector<const std::vector<std::string>*> open{&owners};
  std::set<std::string_view> seen;  // references may form a ring
  while (!open.empty()) {
    const std::vector<std::string>& level = *open.back();
    open.pop_back();
    for (const std::string& owner : level) {
      if (!seen.insert(owner).second) continue;
      if (visit(owner)) return true;
      const auto next = space.owners.find(owner);
      if (next != space.owners.end()) open.push_back(&next->second);
    }
  }
  return false;
}

}  // namespace

bool has_label(const PodRecord& pod, std::string_view label, std::string_view value) {
  const auto found = pod.labels.find(label);
  return found != pod.labels.end() && found->second == value;
}

bool selects(const PodSelector& selector, const std::vector<std::string>& values,
             const NamespaceSnapshot& space, const PodRecord& pod) {
  switch (selector.by) {
    case PodSelector::By::Labels:
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!has_label(pod, selector.labels[i].first, values[i])) return false;
      }
      return true;
    case PodSelector::By::Owner:
      return any_owner(space, pod.owners,
                       [&](const std::string& owner) { return owner == values.front(); });
    case PodSelector::By::Uid: return std::ranges::find(values, pod.uid) != values.end();
  }
  std::unreachable();
}

PodIndex::PodIndex(const NamespaceSnapshot& space) {
  for (const auto& pod : space.pods) {
    by_uid_.emplace(pod->uid, pod);
    for (const auto& [label, value] : pod->labels) by_label_[{label, value}].push_back(pod);
    any_owner(space, pod->owners, [&](const std::string& owner) {
      by_owner_[owner].push_back(pod);
      return false;
    });
  }
}

Pods PodIndex::candidates(const PodSelector& selector,
                          const std::vector<std::string>& values) const {
  switch (selector.by) {
    case PodSelector::By::Labels: {
      const auto found = by_label_.find({selector.labels.front().first, values.front()});
      return found != by_label_.end() ? found->second : Pods();
    }
    case PodSelector::By::Owner: {
      const auto found = by_owner_.find(values.front());
      return found != by_owner_.end() ? found->second : Pods();
    }
    case PodSelector::By::Uid: break;
  }
  Pods pods;
  for (const std::string& uid : values) {
    if (const auto found = by_uid_.find(uid); found != by_uid_.end()) {
      pods.push_back(found->second);
    }
  }
  std::ranges::sort(pods, {}, [](const auto& pod) { return std::string_view(pod->name); });
  return pods;
}

}  // namespace sluice::backend::kubernetes
