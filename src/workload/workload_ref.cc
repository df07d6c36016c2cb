#include "workload/workload_ref.h"

#include <array>

namespace sluice::workload {
namespace {

/// The contract's section 1: every pair but `any`, which goes with all types except external.
constexpr auto kClasses = std::to_array<WorkloadClass>({
    {WorkloadType::Workspace, Framework::Runai},
    {WorkloadType::Workspace, Framework::Any},
    {WorkloadType::Training, Framework::Runai},
    {WorkloadType::Training, Framework::Any},
    {WorkloadType::Distributed, Framework::PyTorch},
    {WorkloadType::Distributed, Framework::TensorFlow},
    {WorkloadType::Distributed, Framework::Mpi},
    {WorkloadType::Distributed, Framework::XGBoost},
    {WorkloadType::Distributed, Framework::Jax},
    {WorkloadType::Distributed, Framework::Any},
    {WorkloadType::Inference, Framework::Runai},
    {WorkloadType::Inference, Framework::Any},
    {WorkloadType::External, Framework::External},
});

std::string valid_classes() {
  std::string text;
  for (const auto& [type, framework] : kClasses) {
    if (!text.empty()) text += ", ";
    text += std::string(to_string(type)) + "/" + std::string(to_string(framework));
  }
  return text;
}

}  // namespace

std::string_view to_string(WorkloadType type) {
  switch (type) {
    case WorkloadType::Workspace: return "workspace";
    case WorkloadType::Training: return "training";
    case WorkloadType::Distributed: return "distributed";
    case WorkloadType::Inference: return "inference";
    case WorkloadType::External: return "external";
  }
  std::unreachable();
}

std::string_view to_string(Framework framework) {
  switch (framework) {
    case Framework::Runai: return "runai";
    case Framework::Mpi: return "mpi";
    case Framework::PyTorch: return "pytorch";
    case Framework::TensorFlow: return "tf";
    case Framework::XGBoost: return "xgboost";
    case Framework::Jax: return "jax";
    case Framework::External: return "external";
    case Framework::Any: return "any";
  }
  std::unreachable();
}

std::optional<WorkloadType> parse_workload_type(std::string_view text) {
  for (const auto& [type, framework] : kClasses) {
    if (text == to_string(type)) return type;
  }
  return std::nullopt;
}

Result<WorkloadClass> parse_workload_class(std::string_view type, std::string_view framework) {
  for (const WorkloadClass& known : kClasses) {
    if (type == to_string(known.type) && framework == to_string(known.framework)) return known;
  }
  return fail(ErrorCode::InvalidArgument, "no workload type and framework \"" + std::string(type) +
                                              "/" + std::string(framework) +
                                              "\"; valid: " + valid_classes());
}

}  // namespace sluice::workload
