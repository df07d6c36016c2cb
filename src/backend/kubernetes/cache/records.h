// Records: what is kept of a Kubernetes object, read from its JSON. Fields may be missing: the
// reader takes what is there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/kubernetes/cache/mapping.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "workload/status.h"

namespace sluice::backend::kubernetes {

using workload::ContainerRole;
using workload::ContainerState;

struct ContainerRecord {
  std::string name;
  ContainerRole role = ContainerRole::Main;
  ContainerState state = ContainerState::Waiting;
  bool stdin = false;  // of the spec
  bool tty = false;
  bool ready = false;
  int restarts = 0;
  bool has_previous = false;  // the run before this one is still known
  std::string container_id;   // "containerd://…" of the current or last run; may be empty
  std::string reason;         // why it waits or has ended: "CrashLoopBackOff"; may be empty
  std::optional<int> exit_code;
  std::optional<WallTime> started_at;  // the run now, or the last one
};

enum class PodPhase { Pending, Running, Succeeded, Failed, Unknown };

struct PodRecord {
  std::string namespace_name;
  std::string name;
  std::string uid;
  PodPhase phase = PodPhase::Pending;
  std::optional<WallTime> created_at;
  bool deleting = false;          // metadata.deletionTimestamp is set
  bool ready = false;             // the condition Ready
  std::string reason;             // status.reason, or what is wrong with a container; may be empty
  std::string node;               // spec.nodeName; empty: not scheduled
  std::string node_address;       // status.hostIP
  std::string default_container;  // annotation kubectl.kubernetes.io/default-container
  std::vector<std::string> owners;                         // their uids
  std::map<std::string, std::string, std::less<>> labels;  // those that the mapping asks for
  std::vector<ContainerRecord> containers;  // main ones in the spec's order, then init, ephemeral

  const ContainerRecord* find_container(std::string_view container) const;
  /// The same, never nullptr. Errors: NotFound, which names both.
  Result<const ContainerRecord*> require_container(std::string_view container) const;
};

/// One row of the mapping that an object matches, with what the row asks of it. Rows are known by
/// their index: mappings are immutable while records live.
struct MatchedRow {
  std::size_t row = 0;
  std::vector<std::string> names;  // in the row's order
  std::string phase;               // empty: derived from the pods
  std::string message;
  /// For each selector what it looks for: of labels the values in their order, else uids.
  std::vector<std::vector<std::string>> pod_values;
};

struct WorkloadRecord {
  std::string kind;
  std::string uid;
  std::optional<WallTime> created_at;
  bool deleting = false;
  std::vector<MatchedRow> rows;
};

/// Where an object is and which it is; any object has these.
struct ObjectMeta {
  std::string namespace_name;
  std::string name;
  std::string uid;
};
ObjectMeta read_meta(const json::object& object);
/// Of an object or a list.
std::string read_resource_version(const json::object& object);
/// The uids of metadata.ownerReferences.
std::vector<std::string> read_owners(const json::object& object);
/// The value of a label; empty: there is none.
std::string read_label(const json::object& object, std::string_view label);

PodRecord read_pod(const json::object& object, const std::vector<std::string>& labels);
/// `rows` is empty when no row takes the object.
WorkloadRecord read_workload(const json::object& object, const GroupKind& kind,
                             const Mapping& mapping);

}  // namespace sluice::backend::kubernetes
