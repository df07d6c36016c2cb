// The section `backend`.
#include <algorithm>
#include <cstdlib>

#include "sluiced/config.h"

namespace sluice::sluiced {
namespace {

using backend::kubernetes::KubernetesConfig;
using backend::kubernetes::LogSource;
using yaml::Mapping;
using yaml::Value;

constexpr std::string_view kLogSources[] = {"api", "kubelet-files"};
constexpr std::string_view kKinds[] = {"local", "kubernetes"};

Result<> read_local(const Value& section, Config& config) {
  TRY(Mapping map, section.as_mapping());
  TRY(const Value workloads, map.require("workloads"));
  TRY(const Value state_dir, map.require("stateDir"));
  TRY_VOID(map.finish());
  LocalBackendFiles files;
  TRY(files.workloads, read_named_file(workloads, config));
  TRY(files.state_dir, read_path(state_dir, config));
  config.auth.development.state_dir = files.state_dir;
  config.backend = std::move(files);
  return {};
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// Without the key: what $KUBECONFIG names, as for kubectl; else the pod's service account.
KubernetesConfig config_of_environment() {
  KubernetesConfig config;
  const std::string files = variable("KUBECONFIG");
  for (std::string_view rest = files; !rest.empty();) {
    const std::string_view path = rest.substr(0, rest.find(':'));
    if (!path.empty()) config.kubeconfigs.emplace_back(path);
    rest.remove_prefix(std::min(rest.size(), path.size() + 1));
  }
  config.service_host = variable("KUBERNETES_SERVICE_HOST");
  config.service_port = variable("KUBERNETES_SERVICE_PORT");
  return config;
}

Result<std::vector<std::string>> read_kubeconfigs(const Value& value, Config& config) {
  TRY(const std::vector<Value> items, value.as_items());
  std::vector<std::string> paths;
  for (const Value& item : items) {
    TRY(std::string path, read_named_file(item, config));
    paths.push_back(std::move(path));
  }
  if (paths.empty()) return fail(value.error("the list is empty; give at least one file"));
  return paths;
}

/// A preset's name, or a path: what has a slash or an ending.
Result<std::string> read_mapping(const Value& value, Config& config) {
  TRY(std::string name, value.as_string());
  if (name.find_first_of("/.") == std::string::npos) return name;
  return read_named_file(value, config);
}

Result<> read_kubernetes(const Value& section, Config& config) {
  KubernetesConfig kubernetes = config_of_environment();
  TRY(Mapping map, section.as_mapping());
  if (const auto value = map.take("kubeconfig")) {
    TRY(kubernetes.kubeconfigs, read_kubeconfigs(*value, config));
  }
  if (const auto value = map.take("context")) {
    TRY(kubernetes.context, value->as_string());
  }
  if (const auto value = map.take("mapping")) {
    TRY(kubernetes.mapping, read_mapping(*value, config));
  }
  if (const auto value = map.take("logs")) {
    TRY(const std::size_t source, read_choice(*value, kLogSources));
    kubernetes.logs = source == 0 ? LogSource::Api : LogSource::KubeletFiles;
  }
  if (const auto value = map.take("kubeletCertificateAuthority")) {
    TRY(kubernetes.kubelets.authorities_file, read_named_file(*value, config));
  }
  TRY_VOID(take_duration(map, "pingInterval", milliseconds(1), kubernetes.ping_interval));
  if (const auto value = map.take("stateDir")) {
    TRY(config.auth.development.state_dir, read_path(*value, config));
  }
  TRY_VOID(map.finish());
  config.backend = std::move(kubernetes);
  return {};
}

}  // namespace

Result<> read_backend(const Value& section, Config& config) {
  TRY(Mapping map, section.as_mapping());
  std::size_t kind = 0;
  if (const auto value = map.take("kind")) {
    TRY(kind, read_choice(*value, kKinds));
  }
  // The section of the other backend may stay in the file: it is checked, and not used.
  const std::optional<Value> local = map.take("local");
  const std::optional<Value> kubernetes = map.take("kubernetes");
  TRY_VOID(map.finish());
  if (kind == 0) {
    TRY(const Value required, map.require("local"));
    if (kubernetes) {
      Config unused = config;
      TRY_VOID(read_kubernetes(*kubernetes, unused));
    }
    return read_local(required, config);
  }
  if (local) {
    Config unused = config;
    TRY_VOID(read_local(*local, unused));
  }
  if (kubernetes) return read_kubernetes(*kubernetes, config);
  config.backend = config_of_environment();
  return {};
}

}  // namespace sluice::sluiced
