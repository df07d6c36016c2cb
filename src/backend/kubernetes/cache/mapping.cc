#include "backend/kubernetes/cache/mapping.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "backend/kubernetes/cache/mapping_presets.h"
#include "base/text.h"
#include "base/yaml.h"

namespace sluice::backend::kubernetes {
namespace {

using yaml::Value;

Result<GroupKind> read_kind(const Value& value) {
  TRY(yaml::Mapping map, value.as_mapping());
  TRY(const Value kind, map.require("kind"));
  GroupKind found;
  TRY(found.kind, kind.as_string());
  if (const auto group = map.take("group")) {
    TRY(found.group, group->as_string());
  }
  TRY_VOID(map.finish());
  return found;
}

/// One kind, or a list of them.
Result<std::vector<GroupKind>> read_kinds(const Value& value) {
  TRY(const std::vector<Value> items, value.as_items());
  std::vector<GroupKind> kinds;
  for (const Value& item : items) {
    TRY(GroupKind kind, read_kind(item));
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

Result<std::vector<std::pair<std::string, std::string>>> read_texts(const Value& value) {
  TRY(yaml::Mapping map, value.as_mapping());
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [key, entry] : map.take_rest()) {
    TRY(std::string text, entry.as_string());
    texts.emplace_back(key, std::move(text));
  }
  return texts;
}

Result<PodSelector> read_selector(const Value& value) {
  TRY(yaml::Mapping map, value.as_mapping());
  const std::optional<Value> label = map.take("label");
  const std::optional<Value> owner = map.take("ownedBy");
  const std::optional<Value> uids = map.take("uidIn");
  TRY_VOID(map.finish());
  if (label.has_value() + owner.has_value() + uids.has_value() != 1) {
    return fail(value.error("expected one of label: {LABEL: FIELD}, ownedBy: FIELD, uidIn: LIST"));
  }
  PodSelector selector;
  if (!label) {
    selector.by = owner ? PodSelector::By::Owner : PodSelector::By::Uid;
    TRY(selector.field, (owner ? owner : uids)->as_string());
    return selector;
  }
  TRY(selector.labels, read_texts(*label));
  if (selector.labels.empty()) {
    return fail(label->error("expected at least one label and the field of its value"));
  }
  return selector;
}

Result<workload::WorkloadClass> read_class(yaml::Mapping& map) {
  TRY(const Value type, map.require("type"));
  TRY(const Value framework, map.require("framework"));
  TRY(const std::string type_name, type.as_string());
  TRY(const std::string framework_name, framework.as_string());
  const auto found = workload::parse_workload_class(type_name, framework_name);
  if (!found) return fail(type.error(found.error().message));
  if (found->framework == workload::Framework::Any) {
    return fail(framework.error("\"any\" is for requests; a row has one framework"));
  }
  return *found;
}

/// Whether each brace that opens is closed before the next one does.
bool has_paired_braces(std::string_view text) {
  bool open = false;
  for (const char c : text) {
    if (c != '{' && c != '}') continue;
    if ((c == '}') != open) return false;
    open = !open;
  }
  return !open;
}

/// Fields, or templates.
Result<std::vector<std::string>> read_names(const Value& value) {
  TRY(std::vector<std::string> names, value.as_strings());
  if (names.empty()) return fail(value.error("expected at least one field"));
  for (const std::string& name : names) {
    if (has_paired_braces(name)) continue;
    return fail(value.error(
        "expected a field, or a template as \"ew-{kind}-{metadata.name}\", got \"" + name + "\""));
  }
  return names;
}

Result<MappingRow> read_row(const Value& value) {
  TRY(yaml::Mapping map, value.as_mapping());
  MappingRow row;
  TRY(row.workload_class, read_class(map));
  TRY(const Value resource, map.require("resource"));
  TRY(row.resources, read_kinds(resource));
  if (const auto where = map.take("where")) {
    TRY(row.where, read_texts(*where));
  }
  if (const auto unless = map.take("unless")) {
    TRY(row.unless, read_texts(*unless));
  }
  row.names = {"metadata.name"};
  if (const auto names = map.take("names")) {
    TRY(row.names, read_names(*names));
  }
  if (const auto phase = map.take("phase")) {
    TRY(row.phase, phase->as_string());
  }
  if (const auto message = map.take("message")) {
    TRY(row.message, message->as_string());
  }
  if (const auto optional = map.take("optional")) {
    TRY(row.optional, optional->as_bool());
  }
  TRY(const Value pods, map.require("pods"));
  TRY_VOID(map.finish());
  TRY(const std::vector<Value> selectors, pods.as_list());
  for (const Value& item : selectors) {
    TRY(PodSelector selector, read_selector(item));
    row.pods.push_back(std::move(selector));
  }
  if (row.pods.empty()) return fail(pods.error("expected at least one way to find the pods"));
  return row;
}

Result<NamespaceRule> read_namespaces(const Value& value) {
  TRY(yaml::Mapping map, value.as_mapping());
  NamespaceRule rule;
  if (const auto label = map.take("label")) {
    TRY(rule.label, label->as_string());
  }
  if (const auto prefix = map.take("prefix")) {
    TRY(rule.prefix, prefix->as_string());
  }
  if (const auto own_name = map.take("ownName")) {
    TRY(rule.own_name, own_name->as_bool());
  }
  TRY_VOID(map.finish());
  if (rule.label.empty() && !rule.prefix && !rule.own_name) {
    return fail(value.error("no project would have a namespace; give label, prefix or ownName"));
  }
  return rule;
}

Result<Mapping> read_document(const Value& document) {
  TRY(yaml::Mapping root, document.as_mapping());
  Mapping mapping;
  TRY(const Value namespaces, root.require("namespaces"));
  TRY(const Value workloads, root.require("workloads"));
  if (const auto owners = root.take("owners")) {
    TRY(mapping.owners, read_kinds(*owners));
  }
  if (const auto labels = root.take("defaultPod")) {
    TRY(const std::vector<Value> items, labels->as_list());
    for (const Value& item : items) {
      TRY(const auto texts, read_texts(item));
      mapping.default_pod.insert(mapping.default_pod.end(), texts.begin(), texts.end());
    }
  }
  TRY_VOID(root.finish());
  TRY(mapping.namespaces, read_namespaces(namespaces));
  TRY(const std::vector<Value> rows, workloads.as_list());
  for (const Value& item : rows) {
    TRY(MappingRow row, read_row(item));
    mapping.rows.push_back(std::move(row));
  }
  if (mapping.rows.empty()) return fail(workloads.error("expected at least one row"));
  return mapping;
}

/// What stands at a path of member names; nullptr: nothing.
const json::value* value_at(const json::object& object, std::string_view path) {
  const json::object* at = &object;
  while (true) {
    const std::size_t dot = path.find('.');
    const json::value* value = json::find(*at, path.substr(0, dot));
    if (value == nullptr || dot == std::string_view::npos) return value;
    at = value->if_object();
    if (at == nullptr) return nullptr;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string to_string(const GroupKind& kind) {
  return kind.group.empty() ? kind.kind : kind.kind + "." + kind.group;
}

std::vector<std::string> Mapping::pod_labels() const {
  std::set<std::string> labels;
  for (const auto& [label, value] : default_pod) labels.insert(label);
  for (const MappingRow& row : rows) {
    for (const PodSelector& selector : row.pods) {
      for (const auto& [label, field] : selector.labels) labels.insert(label);
    }
  }
  return {labels.begin(), labels.end()};
}

std::vector<GroupKind> Mapping::kinds() const {
  std::set<GroupKind> kinds;
  for (const MappingRow& row : rows) kinds.insert(row.resources.begin(), row.resources.end());
  return {kinds.begin(), kinds.end()};
}

bool Mapping::is_optional(const GroupKind& kind) const {
  return std::ranges::none_of(rows, [&](const MappingRow& row) {
    return !row.optional && std::ranges::find(row.resources, kind) != row.resources.end();
  });
}

Result<Mapping> parse_mapping(std::string_view yaml, const std::string& file) {
  TRY(const Value document, yaml::parse(yaml, file));
  return read_document(document);
}

Result<Mapping> read_mapping(const std::string& name_or_path) {
  if (const auto preset = mapping_preset(name_or_path)) {
    return parse_mapping(*preset, "preset " + name_or_path);
  }
  if (name_or_path.find_first_of("/.") == std::string::npos) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("mapping: expected runai, kubernetes or a file's path, got \"{}\"",
                            name_or_path));
  }
  TRY(const Value document, yaml::parse_file(name_or_path));
  return read_document(document);
}

std::optional<std::string> field_of(const json::object& object, std::string_view path) {
  const json::value* value = value_at(object, path);
  if (value == nullptr) return std::nullopt;
  if (const json::object* wrapper = value->if_object()) value = json::find(*wrapper, "value");
  if (value == nullptr || value->is_structured() || value->is_null()) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string(text->data(), text->size());
  return json::serialize(*value);
}

std::vector<std::string> fields_of_list(const json::object& object, std::string_view path,
                                        std::string_view name) {
  std::vector<std::string> texts;
  const json::value* value = value_at(object, path);
  const json::array* list = value != nullptr ? value->if_array() : nullptr;
  if (list == nullptr) return texts;
  for (const json::value& entry : *list) {
    const json::object* item = entry.if_object();
    auto text = item != nullptr ? field_of(*item, name) : std::nullopt;
    if (text) texts.push_back(*std::move(text));
  }
  return texts;
}

}  // namespace sluice::backend::kubernetes
