#include "backend/kubernetes/cache/records.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::backend::kubernetes {
namespace {

using json::flag_of;
using json::list_of;
using json::object_of;
using json::text_of;

std::optional<WallTime> time_of(const json::object& object, std::string_view name) {
  return parse_rfc3339(json::find_string(object, name).value_or(""));
}

PodPhase parse_phase(std::string_view phase) {
  if (phase == "Running") return PodPhase::Running;
  if (phase == "Succeeded") return PodPhase::Succeeded;
  if (phase == "Failed") return PodPhase::Failed;
  return phase == "Unknown" ? PodPhase::Unknown : PodPhase::Pending;
}

void read_specs(const json::object& spec, std::string_view list, ContainerRole role,
                PodRecord& pod) {
  for (const json::value& entry : list_of(spec, list)) {
    const json::object* item = entry.if_object();
    if (item == nullptr) continue;
    ContainerRecord container;
    container.name = text_of(*item, "name");
    container.role = role;
    container.stdin = flag_of(*item, "stdin");
    container.tty = flag_of(*item, "tty");
    pod.containers.push_back(std::move(container));
  }
}

void read_state(const json::object& status, ContainerRecord& container) {
  const json::object& state = object_of(status, "state");
  if (const json::object* running = json::find_object(state, "running")) {
    container.state = ContainerState::Running;
    container.started_at = time_of(*running, "startedAt");
  } else if (const json::object* terminated = json::find_object(state, "terminated")) {
    container.state = ContainerState::Terminated;
    container.reason = text_of(*terminated, "reason");
    container.started_at = time_of(*terminated, "startedAt");
    if (const auto code = json::find_int64(*terminated, "exitCode")) {
      container.exit_code = static_cast<int>(*code);
    }
  } else {
    container.reason = text_of(object_of(state, "waiting"), "reason");
  }
  container.ready = flag_of(status, "ready");
  container.restarts = static_cast<int>(json::find_int64(status, "restartCount").value_or(0));
  container.container_id = text_of(status, "containerID");
  container.has_previous = !object_of(status, "lastState").empty();
}

void read_statuses(const json::object& status, std::string_view list, PodRecord& pod) {
  for (const json::value& entry : list_of(status, list)) {
    const json::object* item = entry.if_object();
    if (item == nullptr) continue;
    const std::string name = text_of(*item, "name");
    const auto container = std::ranges::find(pod.containers, name, &ContainerRecord::name);
    if (container != pod.containers.end()) read_state(*item, *container);
  }
}

/// A field of the object. Its kind is known of all; those of Kubernetes itself do not say it in
/// lists.
std::optional<std::string> field_or_kind(const json::object& object, const GroupKind& kind,
                                         std::string_view field) {
  return field == "kind" ? kind.kind : field_of(object, field);
}

std::string to_lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

/// "ew-{kind}-{metadata.name}" (lower case, as names are), or a field. Braces pair up.
std::optional<std::string> expand_name(std::string_view pattern, const json::object& object,
                                       const GroupKind& kind) {
  if (!pattern.contains('{')) return field_or_kind(object, kind, pattern);
  std::string name;
  while (true) {
    const std::size_t open = pattern.find('{');
    name += pattern.substr(0, open);
    if (open == std::string_view::npos) return name;
    const std::size_t close = pattern.find('}', open);
    auto text = field_or_kind(object, kind, pattern.substr(open + 1, close - open - 1));
    if (!text) return std::nullopt;
    name += to_lower(*std::move(text));
    pattern.remove_prefix(close + 1);
  }
}

bool takes(const MappingRow& row, const GroupKind& kind, const json::object& object) {
  const auto matches = [&](const auto& condition) {
    return field_of(object, condition.first) == condition.second;
  };
  return std::ranges::find(row.resources, kind) != row.resources.end() &&
         std::ranges::all_of(row.where, matches) && std::ranges::none_of(row.unless, matches);
}

/// What the selector looks for; empty: the object lacks it, and so selects no pod.
std::vector<std::string> values_of(const PodSelector& selector, const json::object& object,
                                   const GroupKind& kind) {
  switch (selector.by) {
    case PodSelector::By::Uid: return fields_of_list(object, selector.field, "uid");
    case PodSelector::By::Owner: {
      auto uid = field_of(object, selector.field);
      return uid ? std::vector{*std::move(uid)} : std::vector<std::string>();
    }
    case PodSelector::By::Labels: break;
  }
  std::vector<std::string> values;
  for (const auto& [label, field] : selector.labels) {
    auto value = field_or_kind(object, kind, field);
    if (!value || value->empty()) return {};
    values.push_back(*std::move(value));
  }
  return values;
}

MatchedRow match(const MappingRow& row, std::size_t index, const GroupKind& kind,
                 const json::object& object) {
  MatchedRow matched{.row = index};
  for (const std::string& pattern : row.names) {
    auto name = expand_name(pattern, object, kind);
    if (name) matched.names.push_back(*std::move(name));
  }
  if (!row.phase.empty()) matched.phase = field_of(object, row.phase).value_or("");
  if (!row.message.empty()) matched.message = field_of(object, row.message).value_or("");
  for (const PodSelector& selector : row.pods) {
    matched.pod_values.push_back(values_of(selector, object, kind));
  }
  return matched;
}

/// Why a container keeps its pod from running or succeeding; empty: it doesn't.
std::string trouble_of(const ContainerRecord& container) {
  if (container.state == ContainerState::Waiting) return container.reason;
  if (container.exit_code.value_or(0) == 0) return {};
  std::string trouble =
      fmt::format("container {}: exit code {}", container.name, *container.exit_code);
  // "Error" is said of any code but 0.
  if (!container.reason.empty() && container.reason != "Error") trouble += ", " + container.reason;
  return trouble;
}

bool is_ready(const json::object& status) {
  return std::ranges::any_of(list_of(status, "conditions"), [](const json::value& entry) {
    const json::object* condition = entry.if_object();
    return condition != nullptr && text_of(*condition, "type") == "Ready" &&
           text_of(*condition, "status") == "True";
  });
}

std::optional<WallTime> creation_of(const json::object& object) {
  return time_of(object_of(object, "metadata"), "creationTimestamp");
}

bool is_deleting(const json::object& object) {
  return json::find(object_of(object, "metadata"), "deletionTimestamp") != nullptr;
}

}  // namespace

const ContainerRecord* PodRecord::find_container(std::string_view container) const {
  const auto found = std::ranges::find(containers, container, &ContainerRecord::name);
  return found == containers.end() ? nullptr : &*found;
}

Result<const ContainerRecord*> PodRecord::require_container(std::string_view container) const {
  if (const ContainerRecord* const found = find_container(container)) return found;
  return fail(ErrorCode::NotFound,
              fmt::format("container \"{}\" not in pod \"{}\"", container, name));
}

ObjectMeta read_meta(const json::object& object) {
  const json::object& meta = object_of(object, "metadata");
  return {text_of(meta, "namespace"), text_of(meta, "name"), text_of(meta, "uid")};
}

std::string read_resource_version(const json::object& object) {
  return text_of(object_of(object, "metadata"), "resourceVersion");
}

std::vector<std::string> read_owners(const json::object& object) {
  std::vector<std::string> owners;
  for (const json::value& entry : list_of(object_of(object, "metadata"), "ownerReferences")) {
    const json::object* owner = entry.if_object();
    if (owner != nullptr) owners.push_back(text_of(*owner, "uid"));
  }
  return owners;
}

std::string read_label(const json::object& object, std::string_view label) {
  return text_of(object_of(object_of(object, "metadata"), "labels"), label);
}

PodRecord read_pod(const json::object& object, const std::vector<std::string>& labels) {
  const json::object& meta = object_of(object, "metadata");
  const json::object& spec = object_of(object, "spec");
  const json::object& status = object_of(object, "status");
  PodRecord pod;
  pod.namespace_name = text_of(meta, "namespace");
  pod.name = text_of(meta, "name");
  pod.uid = text_of(meta, "uid");
  pod.phase = parse_phase(text_of(status, "phase"));
  pod.created_at = creation_of(object);
  pod.deleting = is_deleting(object);
  pod.ready = is_ready(status);
  pod.node = text_of(spec, "nodeName");
  pod.node_address = text_of(status, "hostIP");
  pod.default_container =
      text_of(object_of(meta, "annotations"), "kubectl.kubernetes.io/default-container");
  pod.owners = read_owners(object);
  for (const std::string& label : labels) {
    std::string value = read_label(object, label);
    if (!value.empty()) pod.labels.emplace(label, std::move(value));
  }
  read_specs(spec, "containers", ContainerRole::Main, pod);
  read_specs(spec, "initContainers", ContainerRole::Init, pod);
  read_specs(spec, "ephemeralContainers", ContainerRole::Ephemeral, pod);
  for (const char* list :
       {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    read_statuses(status, list, pod);
  }
  pod.reason = text_of(status, "reason");
  for (const ContainerRecord& container : pod.containers) {
    if (pod.reason.empty()) pod.reason = trouble_of(container);
  }
  return pod;
}

WorkloadRecord read_workload(const json::object& object, const GroupKind& kind,
                             const Mapping& mapping) {
  WorkloadRecord record;
  record.kind = kind.kind;
  record.uid = read_meta(object).uid;
  record.created_at = creation_of(object);
  record.deleting = is_deleting(object);
  for (std::size_t i = 0; i < mapping.rows.size(); ++i) {
    if (!takes(mapping.rows[i], kind, object)) continue;
    record.rows.push_back(match(mapping.rows[i], i, kind, object));
  }
  return record;
}

}  // namespace sluice::backend::kubernetes
