// Mapping: how path parameters find their Kubernetes objects, as data (docs/operate/mapping.md): a
// project its namespace; a type, framework and name its object, that object's phase and its pods.
// The code that follows it knows no kind by name. Two are built in, "runai" and "kubernetes"; a
// file can replace them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "workload/workload_ref.h"

namespace sluice::backend::kubernetes {

/// An API group's kind; which version of it is served is for discovery.
struct GroupKind {
  std::string group;  // "" is the core group
  std::string kind;
  auto operator<=>(const GroupKind&) const = default;
};
std::string to_string(const GroupKind& kind);

/// How an object's pods are found.
struct PodSelector {
  enum class By {
    Labels,  // the pod has all `labels`, each with the text of its field
    Owner,   // `field` is the uid of an owner of the pod, or of an owner's owner
    Uid,     // `field` is a list of objects whose uids are the pods'
  };
  By by = By::Labels;
  std::vector<std::pair<std::string, std::string>> labels;  // label, field of the workload's object
  std::string field;                                        // likewise
};

struct MappingRow {
  workload::WorkloadClass workload_class;
  std::vector<GroupKind> resources;
  std::vector<std::pair<std::string, std::string>> where;   // field, text: all must match
  std::vector<std::pair<std::string, std::string>> unless;  // field, text: none may match
  std::vector<std::string> names;  // fields, or templates such as "ew-{kind}-{metadata.name}"
  std::string phase;               // field; empty or absent in the object: derived from its pods
  std::string message;             // field; may be empty
  std::vector<PodSelector> pods;   // the first that finds any wins
  bool optional = false;           // that the cluster does not serve the kind is no degradation
};

/// How a project finds its namespace; tried in this order.
struct NamespaceRule {
  std::string label;                  // the namespace whose label has the project's name
  std::optional<std::string> prefix;  // or the one of this name: prefix and project
  bool own_name = false;              // or the one named as the project
};

struct Mapping {
  NamespaceRule namespaces;
  std::vector<GroupKind> owners;  // between workload and pod: watched to follow chains of owners
  /// Label and value: a pod that has it is the default one; the first that any pod has, wins.
  std::vector<std::pair<std::string, std::string>> default_pod;
  std::vector<MappingRow> rows;

  /// Labels of pods that selectors and default_pod ask for: what a PodRecord keeps.
  std::vector<std::string> pod_labels() const;
  /// Every kind that rows name, once.
  std::vector<GroupKind> kinds() const;
  /// Whether a cluster may do without it: no row that is not optional names it.
  bool is_optional(const GroupKind& kind) const;
};

/// Reads a mapping. Errors: InvalidArgument, with file, line and what would be right.
Result<Mapping> parse_mapping(std::string_view yaml, const std::string& file);
/// A preset by its name, or a file by its path. Errors: InvalidArgument.
Result<Mapping> read_mapping(const std::string& name_or_path);

/// The text of a field, "spec.name"; numbers and booleans as JSON writes them. An object
/// {"value": x} stands for x, as Run:ai wraps scalars. nullopt: absent.
std::optional<std::string> field_of(const json::object& object, std::string_view path);
/// The member `name` of each object in the list at `path`; empty when there is none.
std::vector<std::string> fields_of_list(const json::object& object, std::string_view path,
                                        std::string_view name);

}  // namespace sluice::backend::kubernetes
