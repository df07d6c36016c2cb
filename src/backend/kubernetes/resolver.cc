#include "backend/kubernetes/resolver.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sluice::backend::kubernetes {
namespace {

using workload::Framework;
using workload::WorkloadRef;

std::unexpected<Error> not_known_yet(std::string_view what, std::string_view why) {
  return fail(Error{ErrorCode::Unavailable,
                    fmt::format("the cluster's {} are not known yet; try again", what),
                    {},
                    std::string(why),
                    std::chrono::seconds(1)});
}

/// "any" is whichever framework the workload has, but never External.
bool takes(const workload::WorkloadClass& row, const WorkloadRef& ref) {
  const bool is_any = ref.framework == Framework::Any && row.framework != Framework::External;
  return row.type == ref.type && (is_any || ref.framework == row.framework);
}

/// Whether one of `owners` is that uid, or is owned by it, to any depth.
bool is_owned_by(const NamespaceSnapshot& space, const std::vector<std::string>& owners,
                 const std::string& uid) {
  std::vector<const std::vector<std::string>*> open{&owners};
  std::set<std::string_view> seen;  // references may form a ring
  while (!open.empty()) {
    const std::vector<std::string>& level = *open.back();
    open.pop_back();
    for (const std::string& owner : level) {
      if (owner == uid) return true;
      if (!seen.insert(owner).second) continue;
      const auto next = space.owners.find(owner);
      if (next != space.owners.end()) open.push_back(&next->second);
    }
  }
  return false;
}

bool has_label(const PodRecord& pod, const std::string& label, const std::string& value) {
  const auto found = pod.labels.find(label);
  return found != pod.labels.end() && found->second == value;
}

/// `values` is what the selector looks for in this workload; not empty.
bool selects(const PodSelector& selector, const std::vector<std::string>& values,
             const NamespaceSnapshot& space, const PodRecord& pod) {
  switch (selector.by) {
    case PodSelector::By::Labels:
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!has_label(pod, selector.labels[i].first, values[i])) return false;
      }
      return true;
    case PodSelector::By::Owner: return is_owned_by(space, pod.owners, values.front());
    case PodSelector::By::Uid: return std::ranges::find(values, pod.uid) != values.end();
  }
  std::unreachable();
}

workload::PodCounts count(const std::vector<std::shared_ptr<const PodRecord>>& pods) {
  workload::PodCounts counts;
  for (const auto& pod : pods) {
    ++counts.total;
    switch (pod->phase) {
      case PodPhase::Running: ++counts.running; break;
      case PodPhase::Succeeded: ++counts.succeeded; break;
      case PodPhase::Failed: ++counts.failed; break;
      case PodPhase::Pending:
      case PodPhase::Unknown: ++counts.pending; break;
    }
  }
  return counts;
}

/// For objects that have no phase of their own.
std::string_view phase_of(const workload::PodCounts& pods, bool deleting) {
  if (deleting) return "Terminating";
  if (pods.total == 0) return "Pending";
  if (pods.failed == pods.total) return "Failed";
  if (pods.failed > 0) return "Degraded";
  if (pods.succeeded == pods.total) return "Completed";
  if (pods.running + pods.succeeded > 0) return "Running";
  return "Pending";
}

/// For objects that have no message of their own: the first pod that has a problem.
std::string message_of(const std::vector<std::shared_ptr<const PodRecord>>& pods) {
  const auto troubled =
      std::ranges::find_if(pods, [](const auto& p) { return !p->reason.empty(); });
  if (troubled == pods.end()) return {};
  return fmt::format("pod {}: {}", (*troubled)->name, (*troubled)->reason);
}

const ContainerRecord* default_container(const PodRecord& pod, std::string_view workload) {
  const ContainerRecord* container = pod.find_container(pod.default_container);
  if (container != nullptr) return container;
  container = pod.find_container(workload);
  if (container != nullptr && container->role == ContainerRole::Main) return container;
  return pod.containers.empty() ? nullptr : &pod.containers.front();
}

std::string names_of(const std::vector<ContainerRecord>& containers) {
  std::vector<std::string_view> names;
  for (const ContainerRecord& container : containers) names.push_back(container.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<const ContainerRecord*> find_container(const PodRecord& pod, std::string_view workload,
                                              const std::string& name) {
  const ContainerRecord* container =
      name.empty() ? default_container(pod, workload) : pod.find_container(name);
  if (container != nullptr) return container;
  return fail(ErrorCode::NotFound, fmt::format("container \"{}\" not in pod \"{}\"; it has: {}",
                                               name, pod.name, names_of(pod.containers)));
}

}  // namespace

std::string Resolver::namespace_of(std::string_view project) const {
  const auto found = find_namespace(project);
  if (found) return (*found)->name;
  const NamespaceRule& rule = mapping_.namespaces;
  return rule.prefix ? *rule.prefix + std::string(project) : std::string(project);
}

Result<const NamespaceSnapshot*> Resolver::find_namespace(std::string_view project) const {
  const NamespaceRule& rule = mapping_.namespaces;
  const NamespaceSnapshot* labelled = nullptr;
  for (const auto& [name, space] : snapshot_.namespaces) {
    if (!space->exists || space->project != project) continue;
    if (labelled != nullptr) {
      return fail(ErrorCode::Internal,
                  fmt::format("project \"{}\" has two namespaces, {} and {}: only one may have the "
                              "label {}",
                              project, labelled->name, name, rule.label));
    }
    labelled = space.get();
  }
  if (labelled != nullptr) return labelled;
  std::vector<std::string> candidates;
  if (rule.prefix) candidates.push_back(*rule.prefix + std::string(project));
  if (rule.own_name) candidates.emplace_back(project);
  for (const std::string& name : candidates) {
    const auto found = snapshot_.namespaces.find(name);
    // One whose label gives it to another project is not this one's.
    if (found != snapshot_.namespaces.end() && found->second->exists &&
        found->second->project.empty()) {
      return found->second.get();
    }
  }
  if (!snapshot_.knows("namespaces")) return not_known_yet("namespaces", {});
  return fail(ErrorCode::NotFound, fmt::format("project \"{}\" does not exist", project));
}

Result<Resolver::Found> Resolver::find_workload(const WorkloadRef& ref) const {
  TRY(const NamespaceSnapshot* const space, find_namespace(ref.project));
  if (const auto found = search(*space, ref)) return *found;
  return fail(not_found(*space, ref));
}

/// The row that stands first in the mapping wins; of one row, the name that stands first.
std::optional<Resolver::Found> Resolver::search(const NamespaceSnapshot& space,
                                                const WorkloadRef& ref) const {
  Found found{.space = &space};
  std::pair<std::size_t, std::size_t> best;  // the row, and which of its names matched
  for (const auto& [uid, record] : space.workloads) {
    for (const MatchedRow& match : record->rows) {
      const MappingRow& row = mapping_.rows[match.row];
      const auto name = std::ranges::find(match.names, ref.name);
      if (!takes(row.workload_class, ref) || name == match.names.end()) continue;
      const std::pair rank(match.row, static_cast<std::size_t>(name - match.names.begin()));
      if (found.record != nullptr && best <= rank) continue;
      best = rank;
      found.record = record.get();
      found.match = &match;
      found.ref = {ref.project, ref.type, row.workload_class.framework, ref.name};
    }
  }
  if (found.record == nullptr) return std::nullopt;
  return found;
}

/// Why a workload can't be found: it is not there, or what it would be is not known.
Error Resolver::not_found(const NamespaceSnapshot& space, const WorkloadRef& ref) const {
  for (const MappingRow& row : mapping_.rows) {
    if (!takes(row.workload_class, ref)) continue;
    for (const GroupKind& kind : row.resources) {
      if (!snapshot_.knows(to_string(kind))) {
        return not_known_yet("workloads", to_string(kind)).error();
      }
    }
  }
  Error error{.code = ErrorCode::WorkloadNotFound};
  const auto other = search(space, {ref.project, ref.type, Framework::Any, ref.name});
  if (other) {
    error.message =
        fmt::format("workload \"{}\" of type {} has framework {}, not {}", ref.name,
                    to_string(ref.type), to_string(other->ref.framework), to_string(ref.framework));
  } else {
    error.message = fmt::format("workload \"{}\" of type {} not found in project \"{}\"", ref.name,
                                to_string(ref.type), ref.project);
  }
  return error;
}

Resolver::Pods Resolver::pods_of(const Found& found) const {
  const MappingRow& row = mapping_.rows[found.match->row];
  for (std::size_t i = 0; i < row.pods.size(); ++i) {
    const std::vector<std::string>& values = found.match->pod_values[i];
    Pods pods;
    for (const auto& pod : found.space->pods) {
      if (!values.empty() && selects(row.pods[i], values, *found.space, *pod)) pods.push_back(pod);
    }
    if (!pods.empty()) return pods;
  }
  return {};
}

Result<const PodRecord*> Resolver::choose_pod(const Pods& pods, const WorkloadRef& ref,
                                              const std::string& name) const {
  if (name.empty()) return &default_pod(pods);
  std::vector<std::string_view> names;
  for (const auto& pod : pods) {
    if (pod->name == name) return pod.get();
    names.push_back(pod->name);
  }
  return fail(ErrorCode::NotFound, fmt::format("pod \"{}\" not in workload \"{}\"; it has: {}",
                                               name, ref.name, fmt::join(names, ", ")));
}

const PodRecord& Resolver::default_pod(const Pods& pods) const {
  for (const auto& [label, value] : mapping_.default_pod) {
    for (const auto& pod : pods) {
      if (has_label(*pod, label, value)) return *pod;
    }
  }
  return *pods.front();
}

Result<workload::WorkloadStatus> Resolver::status(const WorkloadRef& ref) const {
  TRY(const Found found, find_workload(ref));
  if (!snapshot_.knows("pods")) return not_known_yet("pods", {});
  const Pods pods = pods_of(found);
  workload::WorkloadStatus status;
  status.workload = found.ref;
  status.kind = found.record->kind;
  status.pods = count(pods);
  status.phase = found.match->phase.empty() ? phase_of(status.pods, found.record->deleting)
                                            : found.match->phase;
  status.message = found.match->message;
  if (status.message.empty()) status.message = message_of(pods);
  return status;
}

Result<workload::ContainerRef> Resolver::resolve(const WorkloadRef& ref,
                                                 const Target& target) const {
  TRY(const Found found, find_workload(ref));
  if (!snapshot_.knows("pods")) return not_known_yet("pods", {});
  const Pods pods = pods_of(found);
  if (pods.empty()) {
    return fail(ErrorCode::NotFound, fmt::format("workload \"{}\" has no pods yet", ref.name));
  }
  TRY(const PodRecord* const pod, choose_pod(pods, ref, target.pod));
  TRY(const ContainerRecord* const container, find_container(*pod, ref.name, target.container));
  return workload::ContainerRef{found.ref, {ref.project, pod->name, pod->uid}, container->name};
}

Result<std::shared_ptr<const PodRecord>> Resolver::find_pod(const workload::PodRef& ref) const {
  TRY(const NamespaceSnapshot* const space, find_namespace(ref.project));
  std::shared_ptr<const PodRecord> pod = space->find_pod(ref.name);
  if (pod == nullptr || pod->uid != ref.uid) {
    return fail(ErrorCode::NotFound, fmt::format("pod \"{}\" is gone", ref.name));
  }
  return pod;
}

}  // namespace sluice::backend::kubernetes
