// The names of things: project, workload, pod, container. Values only; nothing here looks anything
// up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::workload {

enum class WorkloadType { Workspace, Training, Distributed, Inference, External };
enum class Framework { Runai, Mpi, PyTorch, TensorFlow, XGBoost, Jax, External, Any };

/// As spelt in the path: "workspace", "tf".
std::string_view to_string(WorkloadType type);
std::string_view to_string(Framework framework);
/// nullopt: there is no such type.
std::optional<WorkloadType> parse_workload_type(std::string_view text);

/// Parses one (type, framework) pair of the path. Errors: InvalidArgument that names the valid
/// pairs.
struct WorkloadClass {
  WorkloadType type;
  Framework framework;
  bool operator==(const WorkloadClass&) const = default;
};
Result<WorkloadClass> parse_workload_class(std::string_view type, std::string_view framework);

/// What a request names. `framework` may be Any: whichever one this workload has within the type.
struct WorkloadRef {
  std::string project;
  WorkloadType type = WorkloadType::Training;
  Framework framework = Framework::Runai;
  std::string name;
  bool operator==(const WorkloadRef&) const = default;
};

/// One incarnation of a pod: a pod of the same name made later has another uid.
struct PodRef {
  std::string project;
  std::string name;
  std::string uid;
  bool operator==(const PodRef&) const = default;
};

/// What resolve() found and every operation on a container or port takes.
struct ContainerRef {
  WorkloadRef workload;  // framework as found, never Any
  PodRef pod;
  std::string container;
  bool operator==(const ContainerRef&) const = default;
};

}  // namespace sluice::workload
