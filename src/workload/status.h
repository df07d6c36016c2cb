// What is known of a workload's, its pods' and the cluster's state: the bodies of the endpoints
// that tell it, as values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "workload/workload_ref.h"

namespace sluice::workload {

struct PodCounts {
  int total = 0;
  int running = 0;
  int pending = 0;
  int succeeded = 0;
  int failed = 0;
  bool operator==(const PodCounts&) const = default;
};

struct WorkloadStatus {
  WorkloadRef workload;
  std::string phase;    // as the platform spells it, passed through unchanged
  std::string kind;     // "TrainingWorkload"
  std::string message;  // optional
  PodCounts pods;
  std::optional<WallTime> created_at;
  bool operator==(const WorkloadStatus&) const = default;
};

enum class ContainerState { Waiting, Running, Terminated };
enum class ContainerRole { Main, Init, Ephemeral };

struct ContainerStatus {
  std::string name;
  ContainerState state = ContainerState::Waiting;
  ContainerRole role = ContainerRole::Main;
  bool ready = false;
  bool is_default = false;  // the one that requests mean which name none
  int restarts = 0;
  std::string reason;                  // why it waits or has ended; may be empty
  std::optional<int> exit_code;        // of one that has terminated
  std::optional<WallTime> started_at;  // the run now, or the last one
};

struct PodStatus {
  std::string name;
  std::string phase;  // Pending, Running, Succeeded, Failed, Unknown or Terminating
  bool ready = false;
  std::string node;    // where it runs; empty: nowhere yet
  std::string reason;  // what is wrong with it; may be empty
  std::optional<WallTime> created_at;
  std::vector<ContainerStatus> containers;
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
