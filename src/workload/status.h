// What is known of a workload's and the cluster's state: the bodies of the two status endpoints, as
// values.
#pragma once

#include <string>
#include <vector>

#include "workload/workload_ref.h"

namespace sluice::workload {

struct PodCounts {
  int total = 0;
  int running = 0;
  int pending = 0;
  int succeeded = 0;
  int failed = 0;
};

struct WorkloadStatus {
  WorkloadRef workload;
  std::string phase;    // as the platform spells it, passed through unchanged
  std::string kind;     // "TrainingWorkload"
  std::string message;  // optional
  PodCounts pods;
};

enum class FeatureState { Ok, Degraded, Unavailable };

struct FeatureStatus {
  std::string name;  // logs exec attach portForward workloads …
  FeatureState state = FeatureState::Ok;
  std::string message;  // why it is not Ok
};

struct ClusterStatus {
  std::string backend_kind;     // "local", "kubernetes"
  std::string backend_version;  // of what is behind it; may be empty
  bool reachable = true;        // false: the whole status is Unavailable
  std::string message;
  std::vector<FeatureStatus> features;
};

}  // namespace sluice::workload
