#include "backend/kubernetes/cache/resolver.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backend/kubernetes/cache/pod_selection.h"

namespace sluice::backend::kubernetes {
namespace {

using workload::Framework;
using workload::WorkloadRef;
using workload::WorkloadType;

std::unexpected<Error> not_known_yet(std::string_view what, std::string_view why) {
  return fail(Error{.code = ErrorCode::Unavailable,
                    .message = fmt::format("the cluster's {} are not known yet; try again", what),
                    .cause = std::string(why),
                    .retry_after = std::chrono::seconds(1)});
}

/// Nobody can tell whether it is there, and trying again won't change that.
Error hidden(const WorkloadRef& ref, std::string kind) {
  return Error{
      .code = ErrorCode::Unavailable,
      .message = fmt::format("the cluster does not let the gateway see workloads of type {}",
                             to_string(ref.type)),
      .cause = std::move(kind)};
}

/// "any" is whichever framework the workload has, but never External.
bool takes(const workload::WorkloadClass& row, const WorkloadRef& ref) {
  const bool is_any = ref.framework == Framework::Any && row.framework != Framework::External;
  return row.type == ref.type && (is_any || ref.framework == row.framework);
}

workload::PodCounts count(const Pods& pods) {
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
std::string message_of(const Pods& pods) {
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

std::string_view phase_text(const PodRecord& pod) {
  if (pod.deleting) return "Terminating";
  switch (pod.phase) {
    case PodPhase::Pending: return "Pending";
    case PodPhase::Running: return "Running";
    case PodPhase::Succeeded: return "Succeeded";
    case PodPhase::Failed: return "Failed";
    case PodPhase::Unknown: return "Unknown";
  }
  std::unreachable();
}

workload::PodStatus describe(const PodRecord& pod, std::string_view workload) {
  const ContainerRecord* const meant = default_container(pod, workload);
  workload::PodStatus status{.name = pod.name,
                             .phase = std::string(phase_text(pod)),
                             .ready = pod.ready,
                             .node = pod.node,
                             .reason = pod.reason,
                             .created_at = pod.created_at,
                             .containers = {}};
  for (const ContainerRecord& container : pod.containers) {
    status.containers.push_back({.name = container.name,
                                 .state = container.state,
                                 .role = container.role,
                                 .ready = container.ready,
                                 .is_default = &container == meant,
                                 .restarts = container.restarts,
                                 .reason = container.reason,
                                 .exit_code = container.exit_code,
                                 .started_at = container.started_at});
  }
  return status;
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
      const std::string name = to_string(kind);
      if (snapshot_.awaits(name)) return not_known_yet("workloads", name).error();
      if (!snapshot_.knows(name)) return hidden(ref, name);
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

/// `candidates` gives, for a selector and its values, pods among which are all that it selects.
template <typename Candidates>
Pods Resolver::pods_of(const Found& found, Candidates candidates) const {
  const MappingRow& row = mapping_.rows[found.match->row];
  for (std::size_t i = 0; i < row.pods.size(); ++i) {
    const std::vector<std::string>& values = found.match->pod_values[i];
    if (values.empty()) continue;
    Pods pods;
    for (const auto& pod : candidates(row.pods[i], values)) {
      if (selects(row.pods[i], values, *found.space, *pod)) pods.push_back(pod);
    }
    if (!pods.empty()) return pods;
  }
  return {};
}

Pods Resolver::pods_of(const Found& found) const {
  return pods_of(found, [&](const auto&, const auto&) -> const Pods& { return found.space->pods; });
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

/// The smaller, the sooner a pod is the default one.
std::size_t Resolver::rank_of(const PodRecord& pod) const {
  const auto has = [&pod](const auto& rule) { return has_label(pod, rule.first, rule.second); };
  return static_cast<std::size_t>(std::ranges::find_if(mapping_.default_pod, has) -
                                  mapping_.default_pod.begin());
}

const PodRecord& Resolver::default_pod(const Pods& pods) const {
  return **std::ranges::min_element(pods, {}, [this](const auto& pod) { return rank_of(*pod); });
}

workload::WorkloadStatus Resolver::status_of(const Found& found, const Pods& pods) const {
  workload::WorkloadStatus status;
  status.workload = found.ref;
  status.kind = found.record->kind;
  status.created_at = found.record->created_at;
  status.pods = count(pods);
  status.phase = found.match->phase.empty() ? phase_of(status.pods, found.record->deleting)
                                            : found.match->phase;
  status.message = found.match->message;
  if (status.message.empty()) status.message = message_of(pods);
  return status;
}

Result<workload::WorkloadStatus> Resolver::status(const WorkloadRef& ref) const {
  TRY(const Found found, find_workload(ref));
  if (!snapshot_.knows("pods")) return not_known_yet("pods", {});
  return status_of(found, pods_of(found));
}

Result<std::vector<workload::PodStatus>> Resolver::pods(const WorkloadRef& ref) const {
  TRY(const Found found, find_workload(ref));
  if (!snapshot_.knows("pods")) return not_known_yet("pods", {});
  Pods pods = pods_of(found);
  std::ranges::sort(pods, {}, [this](const auto& pod) {
    return std::pair(rank_of(*pod), std::string_view(pod->name));
  });
  std::vector<workload::PodStatus> described;
  for (const auto& pod : pods) described.push_back(describe(*pod, found.ref.name));
  return described;
}

Result<std::vector<workload::WorkloadStatus>> Resolver::list(const std::string& project) const {
  TRY(const NamespaceSnapshot* const space, find_namespace(project));
  for (const GroupKind& kind : mapping_.kinds()) {
    if (snapshot_.awaits(to_string(kind))) return not_known_yet("workloads", to_string(kind));
  }
  if (!snapshot_.knows("pods")) return not_known_yet("pods", {});
  const PodIndex index(*space);
  std::vector<workload::WorkloadStatus> list;
  for (const Found& found : find_all(*space, project)) {
    const Pods pods = pods_of(found, [&](const PodSelector& selector, const auto& values) {
      return index.candidates(selector, values);
    });
    list.push_back(status_of(found, pods));
  }
  return list;
}

/// What search() can find, each once, under the first of its names that it has to itself.
std::vector<Resolver::Found> Resolver::find_all(const NamespaceSnapshot& space,
                                                const std::string& project) const {
  struct Holder {
    std::pair<std::size_t, std::size_t> rank;  // as in search()
    const WorkloadRecord* record;
  };
  using Name = std::tuple<WorkloadType, Framework, std::string_view>;
  const auto name_of = [this](const MatchedRow& match, std::string_view name) {
    const workload::WorkloadClass& row = mapping_.rows[match.row].workload_class;
    return Name(row.type, row.framework, name);
  };
  std::map<Name, Holder> holders;
  for (const auto& [uid, record] : space.workloads) {
    for (const MatchedRow& match : record->rows) {
      for (std::size_t i = 0; i < match.names.size(); ++i) {
        const Holder claim{{match.row, i}, record.get()};
        const auto [held, is_new] = holders.try_emplace(name_of(match, match.names[i]), claim);
        if (!is_new && claim.rank < held->second.rank) held->second = claim;
      }
    }
  }
  std::vector<Found> all;
  for (const auto& [uid, record] : space.workloads) {
    for (const MatchedRow& match : record->rows) {
      const auto own = std::ranges::find_if(match.names, [&](const std::string& name) {
        const Holder& holder = holders.at(name_of(match, name));
        return holder.record == record.get() && holder.rank.first == match.row;
      });
      if (own == match.names.end()) continue;
      const workload::WorkloadClass& row = mapping_.rows[match.row].workload_class;
      all.push_back({&space, record.get(), &match, {project, row.type, row.framework, *own}});
    }
  }
  return all;
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
