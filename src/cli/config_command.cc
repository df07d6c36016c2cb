#include "cli/config_command.h"

#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/table.h"

namespace sluice::cli {
namespace {

/// What the first cluster is called that nobody names.
constexpr const char* kFirstCluster = "default";
/// The only key whose value is no text.
constexpr std::string_view kInsecure = "insecureSkipTlsVerify";

struct ConfigFile {
  std::string name;
  Config config;
};

Result<ConfigFile> open_config(const GlobalOptions& options, const Environment& environment) {
  ConfigFile file;
  TRY(file.name, config_file_of(options, environment));
  TRY(file.config, read_config(file.name));
  return file;
}

/// The one that a key is of; "": there is none.
std::string cluster_of(const GlobalOptions& options, const Environment& environment,
                       const Config& config) {
  if (!options.cluster.empty()) return options.cluster;
  return environment.get("SLUICE_CLUSTER").value_or(current_cluster(config));
}

std::unexpected<Error> no_cluster(const std::string& cluster, const ConfigFile& file) {
  if (file.config.clusters.empty()) {
    return fail(ErrorCode::NotFound,
                file.name + " has no cluster yet: `sluice config set server URL`");
  }
  return fail(ErrorCode::NotFound, unknown_cluster(file.config, cluster, file.name));
}

Result<> check_value(std::string_view key, const std::string& value) {
  if (value.empty()) return {};
  if (key == "server") {
    TRY_VOID(parse_server(value));
  } else if (key == "issuer") {
    TRY_VOID(http::parse_url(value));
  }
  return {};
}

json::value as_json(const Config& config) {
  json::object clusters;
  for (const auto& [name, entry] : config.clusters) {
    json::object& cluster = clusters[name].emplace_object();
    for (const std::string_view key : config_keys()) {
      const std::string value = get_value(entry, key).value_or("");
      if (!value.empty() && key != kInsecure) cluster[key] = value;
    }
    if (entry.insecure) cluster[kInsecure] = true;
  }
  return json::object{{"current", current_cluster(config)}, {"clusters", std::move(clusters)}};
}

std::string as_table(const Config& config) {
  Table table({"CURRENT", "CLUSTER", "SERVER", "PROJECT", "ISSUER"});
  for (const auto& [name, entry] : config.clusters) {
    table.add({name == current_cluster(config) ? "*" : "", name, entry.server, entry.project,
               entry.issuer});
  }
  return table.text();
}

}  // namespace

Result<int> run_config_set(const GlobalOptions& options, const Environment& environment,
                           const std::string& key, const std::string& value) {
  TRY(ConfigFile file, open_config(options, environment));
  Config& config = file.config;
  std::string cluster = cluster_of(options, environment, config);
  if (cluster.empty() && !config.clusters.empty()) {
    return fail(ErrorCode::InvalidArgument,
                "of which cluster? Give --cluster, or make one current: `sluice config use NAME`");
  }
  if (cluster.empty()) cluster = kFirstCluster;
  TRY_VOID(check_value(key, value));
  TRY_VOID(set_value(config.clusters[cluster], key, value));
  if (config.current.empty()) config.current = cluster;
  TRY_VOID(write_config(config, file.name));
  return kSuccess;
}

Result<int> run_config_get(const GlobalOptions& options, const Environment& environment,
                           const std::string& key) {
  TRY(const ConfigFile file, open_config(options, environment));
  const std::string cluster = cluster_of(options, environment, file.config);
  const auto found = file.config.clusters.find(cluster);
  if (found == file.config.clusters.end()) return no_cluster(cluster, file);
  TRY(const std::string value, get_value(found->second, key));
  return print(value + "\n");
}

Result<int> run_config_list(const GlobalOptions& options, const Environment& environment,
                            OutputFormat format) {
  TRY(const ConfigFile file, open_config(options, environment));
  return print(format == OutputFormat::Table ? as_table(file.config)
                                             : format_as(format, as_json(file.config)));
}

Result<int> run_config_use(const GlobalOptions& options, const Environment& environment,
                           const std::string& cluster) {
  TRY(ConfigFile file, open_config(options, environment));
  if (!file.config.clusters.contains(cluster)) return no_cluster(cluster, file);
  file.config.current = cluster;
  TRY_VOID(write_config(file.config, file.name));
  return kSuccess;
}

}  // namespace sluice::cli
