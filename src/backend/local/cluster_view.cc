#include "backend/local/cluster_view.h"

#include <algorithm>

#include <fmt/format.h>

namespace sluice::backend::local {
namespace {

/// The kind of the platform's own object for it (contract section 1).
std::string_view kind_of(workload::WorkloadType type) {
  switch (type) {
    case workload::WorkloadType::Workspace: return "InteractiveWorkload";
    case workload::WorkloadType::Training: return "TrainingWorkload";
    case workload::WorkloadType::Distributed: return "DistributedWorkload";
    case workload::WorkloadType::Inference: return "InferenceWorkload";
    case workload::WorkloadType::External: return "ExternalWorkload";
  }
  std::unreachable();
}

workload::PodCounts count_pods(const WorkloadView& workload) {
  workload::PodCounts counts;
  for (const auto& pod : workload.pods) {
    ++counts.total;
    switch (pod->phase) {
      case PodPhase::Pending: ++counts.pending; break;
      case PodPhase::Terminating:
      case PodPhase::Running: ++counts.running; break;
      case PodPhase::Succeeded: ++counts.succeeded; break;
      case PodPhase::Failed: ++counts.failed; break;
    }
  }
  return counts;
}

std::string_view phase_of(const WorkloadView& workload, const workload::PodCounts& pods) {
  if (workload.terminating) return "Terminating";
  if (pods.total == 0) return "Pending";
  if (pods.failed == pods.total) return "Failed";
  if (pods.failed > 0) return "Degraded";
  if (pods.succeeded == pods.total) return "Completed";
  if (pods.running + pods.succeeded > 0) return "Running";
  return "Pending";
}

std::string_view to_string(PodPhase phase) {
  switch (phase) {
    case PodPhase::Pending: return "Pending";
    case PodPhase::Running: return "Running";
    case PodPhase::Succeeded: return "Succeeded";
    case PodPhase::Failed: return "Failed";
    case PodPhase::Terminating: return "Terminating";
  }
  std::unreachable();
}

/// What it is for the clients, to whom a process whose output is still being stored has not ended.
workload::ContainerState public_state(ContainerState state) {
  switch (state) {
    case ContainerState::Waiting: return workload::ContainerState::Waiting;
    case ContainerState::Running:
    case ContainerState::Ending: return workload::ContainerState::Running;
    case ContainerState::Ended: return workload::ContainerState::Terminated;
  }
  std::unreachable();
}

workload::ContainerStatus status_of(const ContainerView& container) {
  workload::ContainerStatus status;
  status.name = container.name;
  status.state = public_state(container.state);
  status.ready = container.state == ContainerState::Running;
  status.restarts = container.restarts;
  status.reason = container.reason;
  status.exit_code = container.exit_code;
  status.started_at = container.started_at;
  return status;
}

Error no_project(const std::string& project) {
  return Error{.code = ErrorCode::NotFound,
               .message = fmt::format("project \"{}\" does not exist", project)};
}

template <typename Items, typename NameOf>
std::string names(const Items& items, NameOf name_of) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += ", ";
    text += name_of(item);
  }
  return text;
}

}  // namespace

Result<const WorkloadView*> ClusterView::find(const workload::WorkloadRef& ref) const {
  if (!projects.contains(ref.project)) return fail(no_project(ref.project));
  const auto found = workloads.find({ref.project, ref.type, ref.name});
  if (found == workloads.end()) {
    return fail(ErrorCode::WorkloadNotFound,
                fmt::format("workload \"{}\" of type {} not found in project \"{}\"", ref.name,
                            to_string(ref.type), ref.project));
  }
  const workload::Framework framework = found->second.ref.framework;
  if (ref.framework != workload::Framework::Any && ref.framework != framework) {
    return fail(ErrorCode::WorkloadNotFound,
                fmt::format("workload \"{}\" of type {} has framework {}, not {}", ref.name,
                            to_string(ref.type), to_string(framework), to_string(ref.framework)));
  }
  return &found->second;
}

Result<std::vector<workload::WorkloadStatus>> ClusterView::list(const std::string& project) const {
  if (!projects.contains(project)) return fail(no_project(project));
  std::vector<workload::WorkloadStatus> list;
  for (const auto& [key, workload] : workloads) {
    if (workload.ref.project == project) list.push_back(status_of(workload));
  }
  return list;
}

Result<const PodView*> find_pod(const WorkloadView& workload, const std::string& name) {
  if (workload.pods.empty()) {
    return fail(ErrorCode::NotFound,
                fmt::format("workload \"{}\" has no pods yet", workload.ref.name));
  }
  if (name.empty()) return workload.pods.front().get();
  for (const auto& pod : workload.pods) {
    if (pod->ref.name == name) return pod.get();
  }
  return fail(ErrorCode::NotFound,
              fmt::format("pod \"{}\" not in workload \"{}\"; it has: {}", name, workload.ref.name,
                          names(workload.pods, [](const auto& pod) { return pod->ref.name; })));
}

Result<const ContainerView*> find_container(const WorkloadView& workload, const PodView& pod,
                                            const std::string& name) {
  const auto named = [&](const std::string& wanted) {
    return std::ranges::find(pod.containers, wanted, &ContainerView::name);
  };
  if (name.empty()) {
    const auto namesake = named(workload.ref.name);
    return namesake != pod.containers.end() ? &*namesake : &pod.containers.front();
  }
  if (const auto found = named(name); found != pod.containers.end()) return &*found;
  return fail(
      ErrorCode::NotFound,
      fmt::format("container \"{}\" not in pod \"{}\"; it has: {}", name, pod.ref.name,
                  names(pod.containers, [](const auto& container) { return container.name; })));
}

workload::WorkloadStatus status_of(const WorkloadView& workload) {
  workload::WorkloadStatus status;
  status.workload = workload.ref;
  status.pods = count_pods(workload);
  status.phase = phase_of(workload, status.pods);
  status.kind = kind_of(workload.ref.type);
  status.created_at = workload.created_at;
  if (workload.pods.empty() && !workload.terminating) status.message = "no replicas are asked for";
  for (const auto& pod : workload.pods) {
    if (pod->message.empty()) continue;
    status.message = fmt::format("pod {}: {}", pod->ref.name, pod->message);
    break;
  }
  return status;
}

std::vector<workload::PodStatus> pods_of(const WorkloadView& workload, const std::string& node) {
  std::vector<workload::PodStatus> pods;
  for (const auto& view : workload.pods) {
    workload::PodStatus& pod = pods.emplace_back();
    pod.name = view->ref.name;
    pod.phase = to_string(view->phase);
    pod.node = node;
    pod.reason = view->message;
    pod.created_at = view->created_at;
    for (const ContainerView& container : view->containers) {
      pod.containers.push_back(status_of(container));
    }
    pod.ready = std::ranges::all_of(pod.containers, &workload::ContainerStatus::ready);
    const ContainerView& meant = **find_container(workload, *view, {});
    pod.containers[static_cast<std::size_t>(&meant - view->containers.data())].is_default = true;
  }
  return pods;
}

}  // namespace sluice::backend::local
