// Which pods a selector of the mapping means, in one namespace: pod by pod, or by an index where
// many selectors ask.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/kubernetes/cache/cluster_snapshot.h"
#include "backend/kubernetes/cache/mapping.h"

namespace sluice::backend::kubernetes {

bool has_label(const PodRecord& pod, std::string_view label, std::string_view value);

/// `values` is what the selector looks for in this workload; not empty.
bool selects(const PodSelector& selector, const std::vector<std::string>& values,
             const NamespaceSnapshot& space, const PodRecord& pod);

/// Finds the pods that a selector may mean without a look at all others. The namespace outlives it.
class PodIndex {
 public:
  explicit PodIndex(const NamespaceSnapshot& space);

  /// Among them are all that the selector selects; by name.
  Pods candidates(const PodSelector& selector, const std::vector<std::string>& values) const;

 private:
  std::map<std::pair<std::string_view, std::string_view>, Pods> by_label_;  // label, value
  std::map<std::string_view, Pods> by_owner_;                               // to any depth
  std::map<std::string_view, std::shared_ptr<const PodRecord>> by_uid_;
};

}  // namespace sluice::backend::kubernetes
