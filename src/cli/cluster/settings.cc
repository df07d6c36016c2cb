#include "cli/cluster/settings.h"

#include <fmt/format.h>

namespace sluice::cli {
namespace {

constexpr std::string_view kDefaultBasePath = "/cluster-api";

/// The first that is not empty.
std::string first_of(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return {};
}

Result<std::string> choose_cluster(const Config& config, std::string name,
                                   const std::string& file) {
  if (name.empty()) name = current_cluster(config);
  if (name.empty() || config.clusters.contains(name)) return name;
  return fail(ErrorCode::InvalidArgument, unknown_cluster(config, name, file));
}

std::unexpected<Error> no_server(const std::string& config_file) {
  return fail(
      ErrorCode::InvalidArgument,
      "which server? Set SLUICE_SERVER=https://HOST/cluster-api, or give --server, or name it in " +
          config_file);
}

/// The name of the cluster that has this server; empty: none has.
std::string cluster_at(const Config& config, const http::Url& server) {
  for (const auto& [name, entry] : config.clusters) {
    const Result<http::Url> url = parse_server(entry.server);
    if (url && *url == server) return name;
  }
  return {};
}

}  // namespace

Result<http::Url> parse_server(const std::string& text) {
  Result<http::Url> url = http::parse_url(text);
  if (!url) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the server's URL: {}", url.error().message));
  }
  while (url->target.ends_with('/')) url->target.pop_back();
  if (url->target.contains('?')) {
    return fail(ErrorCode::InvalidArgument, "the server's URL has a query: " + text);
  }
  if (url->target.empty()) url->target = kDefaultBasePath;
  return url;
}

std::string current_cluster(const Config& config) {
  if (config.current.empty() && config.clusters.size() == 1) return config.clusters.begin()->first;
  return config.current;
}

Result<std::string> config_file_of(const GlobalOptions& options, const Environment& environment) {
  if (!options.config_file.empty()) return options.config_file;
  if (const auto file = environment.get("SLUICE_CONFIG")) return *file;
  const std::string folder = config_folder(environment);
  if (!folder.empty()) return folder + "/config.yaml";
  return fail(ErrorCode::InvalidArgument,
              "HOME is not set; say where the configuration is: --config");
}

Result<Settings> resolve_settings(const GlobalOptions& options, const Environment& environment) {
  const auto variable = [&](const char* name) { return environment.get(name).value_or(""); };
  Settings settings;
  TRY(settings.config_file, config_file_of(options, environment));
  TRY(const Config config, read_config(settings.config_file));
  const std::string server = first_of({options.server, variable("SLUICE_SERVER")});
  const std::string wanted = first_of({options.cluster, variable("SLUICE_CLUSTER")});
  if (server.empty()) {
    TRY(settings.cluster, choose_cluster(config, wanted, settings.config_file));
  } else {
    TRY(settings.server, parse_server(server));
    settings.cluster = wanted.empty() ? cluster_at(config, settings.server) : wanted;
  }
  const auto found = config.clusters.find(settings.cluster);
  const ClusterEntry entry = found != config.clusters.end() ? found->second : ClusterEntry();
  if (server.empty()) {
    if (entry.server.empty()) return no_server(settings.config_file);
    TRY(settings.server, parse_server(entry.server));
  }
  settings.project = first_of({options.project, variable("SLUICE_PROJECT"), entry.project});
  if (options.token_file.empty()) settings.token = variable("SLUICE_TOKEN");
  settings.token_file =
      first_of({options.token_file, variable("SLUICE_TOKEN_FILE"), entry.token_file});
  settings.ca_file = first_of({options.ca_file, variable("SLUICE_CA_FILE"), entry.ca_file});
  settings.insecure = options.insecure || entry.insecure;
  settings.issuer = entry.issuer;
  settings.client_id = entry.client_id;
  settings.client_secret_file = entry.client_secret_file;
  return settings;
}

}  // namespace sluice::cli
