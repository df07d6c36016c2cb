#include "backend/local/workloads_file.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "base/text.h"
#include "base/yaml.h"

namespace sluice::backend::local {
namespace {

constexpr std::int64_t kMaxReplicas = 1000;

std::string no_label(const std::string& name) {
  return "\"" + name +
         "\" is no valid name: at most 63 lower-case letters, digits and '-', beginning and ending "
         "with a letter or digit";
}

bool has_nul(const std::string& text) { return std::ranges::count(text, '\0') > 0; }

/// Text that can be an argument or a variable of a process.
Result<std::string> process_text(const yaml::Value& value) {
  TRY(std::string text, value.as_string());
  if (!has_nul(text)) return text;
  return fail(value.error("contains a NUL character"));
}

Result<std::vector<std::string>> read_command(const yaml::Value& value) {
  if (!value.is_list()) {
    return fail(value.key_error("expected a list of texts such as [/bin/sh, -c, \"echo hello\"]"));
  }
  TRY(const std::vector<yaml::Value> items, value.as_list());
  std::vector<std::string> command;
  for (const yaml::Value& item : items) {
    TRY(std::string text, process_text(item));
    command.push_back(std::move(text));
  }
  if (command.empty() || command.front().empty()) {
    return fail(value.key_error("no program is named"));
  }
  return command;
}

Result<std::map<std::string, std::string>> read_environment(const yaml::Value& value) {
  TRY(yaml::Mapping mapping, value.as_mapping());
  std::map<std::string, std::string> environment;
  for (const auto& [name, entry] : mapping.take_rest()) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name)) {
      return fail(entry.key_error("a variable's name can't be empty or contain '=' or NUL"));
    }
    TRY(std::string text, process_text(entry));
    environment.emplace(name, std::move(text));
  }
  return environment;
}

Result<RestartPolicy> read_restart(const yaml::Value& value) {
  TRY(const std::string text, value.as_string());
  if (text == "Never") return RestartPolicy::Never;
  if (text == "OnFailure") return RestartPolicy::OnFailure;
  if (text == "Always") return RestartPolicy::Always;
  return fail(value.error("expected Never, OnFailure or Always, got \"" + text + "\""));
}

Result<std::string> read_directory(const yaml::Value& value, const std::filesystem::path& base) {
  TRY(const std::string text, process_text(value));
  if (text.empty()) return fail(value.error("expected a directory, got \"\""));
  return (base / text).lexically_normal().string();
}

Result<LogLimits> read_log_limits(const yaml::Value& value) {
  constexpr std::int64_t kMinBytes = 1 << 16;  // more than a record has
  TRY(yaml::Mapping mapping, value.as_mapping());
  LogLimits limits;
  if (const auto size = mapping.take("maxSize")) {
    TRY(limits.max_size_bytes, size->as_int64(kMinBytes, std::int64_t{1} << 40));
  }
  if (const auto files = mapping.take("maxFiles")) {
    TRY(limits.max_files, files->as_int64(1, 1000));
  }
  if (const auto held = mapping.take("maxHeld")) {
    TRY(limits.max_held_bytes, held->as_int64(0, std::int64_t{1} << 40));
  }
  TRY_VOID(mapping.finish());
  return limits;
}

Result<UserAccount> read_user(const yaml::Value& value) {
  TRY(const std::string name, process_text(value));
  Result<UserAccount> account = find_user(name);
  if (!account) return fail(value.error(account.error().message));
  return account;
}

/// What the file says about all its containers.
struct Shared {
  std::filesystem::path base;  // of relative paths
  std::optional<UserAccount> user;
};

/// `fallback` is the workload's name.
Result<ContainerSpec> read_container(const yaml::Value& value, const std::string& fallback,
                                     const Shared& shared) {
  TRY(yaml::Mapping mapping, value.as_mapping());
  ContainerSpec container;
  container.user = shared.user;
  container.name = fallback;
  if (const auto name = mapping.take("name")) {
    TRY(container.name, name->as_string());
    if (!is_dns_label(container.name)) return fail(name->error(no_label(container.name)));
  } else if (!is_dns_label(fallback)) {
    return fail(
        mapping.error("missing key name: the workload's can't be a container's, it has dots"));
  }
  TRY(const yaml::Value command, mapping.require("command"));
  TRY(container.command, read_command(command));
  if (const auto env = mapping.take("env")) {
    TRY(container.environment, read_environment(*env));
  }
  if (const auto directory = mapping.take("workingDir")) {
    TRY(container.working_directory, read_directory(*directory, shared.base));
  }
  if (const auto keep = mapping.take("stdin")) {
    TRY(container.stdin, keep->as_bool());
  }
  if (const auto tty = mapping.take("tty")) {
    TRY(container.tty, tty->as_bool());
  }
  if (const auto restart = mapping.take("restart")) {
    TRY(container.restart, read_restart(*restart));
  }
  if (const auto user = mapping.take("user")) {
    TRY(container.user, read_user(*user));
  }
  if (const auto logs = mapping.take("logs")) {
    TRY(container.logs, read_log_limits(*logs));
  }
  TRY_VOID(mapping.finish());
  return container;
}

Result<std::vector<ContainerSpec>> read_containers(const yaml::Value& value,
                                                   const std::string& fallback,
                                                   const Shared& shared) {
  TRY(const std::vector<yaml::Value> items, value.as_list());
  if (items.empty()) return fail(value.key_error("at least one container is needed"));
  std::vector<ContainerSpec> containers;
  for (const yaml::Value& item : items) {
    TRY(ContainerSpec container, read_container(item, fallback, shared));
    const bool known = std::ranges::any_of(
        containers, [&](const ContainerSpec& other) { return other.name == container.name; });
    if (known) {
      return fail(
          item.error("container \"" + container.name + "\" is there twice; give each a name"));
    }
    containers.push_back(std::move(container));
  }
  return containers;
}

Result<workload::WorkloadClass> read_class(yaml::Mapping& mapping) {
  TRY(const yaml::Value type, mapping.require("type"));
  TRY(const std::string type_name, type.as_string());
  TRY(const yaml::Value framework, mapping.require("framework"));
  TRY(const std::string framework_name, framework.as_string());
  if (framework_name == to_string(workload::Framework::Any)) {
    return fail(framework.error("\"any\" is for requests; a workload has one framework"));
  }
  Result<workload::WorkloadClass> found = workload::parse_workload_class(type_name, framework_name);
  if (!found) return fail(type.error(found.error().message));
  return found;
}

Result<WorkloadSpec> read_workload(const yaml::Value& value, const std::string& project,
                                   const Shared& shared) {
  TRY(yaml::Mapping mapping, value.as_mapping());
  WorkloadSpec spec;
  TRY(const yaml::Value name, mapping.require("name"));
  TRY(spec.ref.name, name.as_string());
  // A pod is named "<workload>-0-<i>", which must be a valid name, too.
  if (!is_dns_subdomain(spec.ref.name) ||
      spec.ref.name.size() > 253 - std::string_view("-0-999").size()) {
    return fail(
        name.error("\"" + spec.ref.name +
                   "\" is no valid name: lower-case letters, digits, '-' and '.', beginning and "
                   "ending with a letter or digit"));
  }
  TRY(const workload::WorkloadClass found, read_class(mapping));
  spec.ref.project = project;
  spec.ref.type = found.type;
  spec.ref.framework = found.framework;
  if (const auto replicas = mapping.take("replicas")) {
    TRY(const std::int64_t count, replicas->as_int64(0, kMaxReplicas));
    spec.replicas = static_cast<int>(count);
  }
  TRY(const yaml::Value containers, mapping.require("containers"));
  TRY(spec.containers, read_containers(containers, spec.ref.name, shared));
  TRY_VOID(mapping.finish());
  return spec;
}

Result<WorkloadsFile> read_document(const yaml::Value& document, const std::string& file) {
  Shared shared;
  shared.base = std::filesystem::absolute(file).parent_path();
  TRY(yaml::Mapping root, document.as_mapping());
  if (const auto user = root.take("user")) {
    TRY(shared.user, read_user(*user));
  }
  TRY(const yaml::Value projects_value, root.require("projects"));
  TRY_VOID(root.finish());
  TRY(yaml::Mapping projects, projects_value.as_mapping());
  WorkloadsFile result;
  std::set<std::tuple<std::string, workload::WorkloadType, std::string>> seen;
  for (const auto& [project, list] : projects.take_rest()) {
    if (!is_dns_label(project)) return fail(list.key_error(no_label(project)));
    result.projects.push_back(project);
    TRY(const std::vector<yaml::Value> items, list.as_list());
    for (const yaml::Value& item : items) {
      TRY(WorkloadSpec spec, read_workload(item, project, shared));
      if (!seen.emplace(project, spec.ref.type, spec.ref.name).second) {
        return fail(item.error("workload \"" + spec.ref.name + "\" of type " +
                               std::string(to_string(spec.ref.type)) +
                               " is there twice; names are unique within project and type"));
      }
      result.workloads.push_back(std::move(spec));
    }
  }
  return result;
}

}  // namespace

Result<WorkloadsFile> read_workloads_file(const std::string& path) {
  TRY(const yaml::Value document, yaml::parse_file(path));
  return read_document(document, path);
}

Result<WorkloadsFile> parse_workloads(std::string_view text, const std::string& file) {
  TRY(const yaml::Value document, yaml::parse(text, file));
  return read_document(document, file);
}

}  // namespace sluice::backend::local
