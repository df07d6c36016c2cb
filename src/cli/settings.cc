#include "cli/settings.h"

#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

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
  if (name.empty()) name = config.current;
  if (name.empty() && config.clusters.size() == 1) name = config.clusters.begin()->first;
  if (name.empty() || config.clusters.contains(name)) return name;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("no cluster \"{}\" in {}; it has: {}", name, file,
                          fmt::join(std::views::keys(config.clusters), ", ")));
}

Result<http::Url> parse_server(const std::string& text) {
  Result<http::Url> url = http::parse_url(text);
  if (!url) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the server's URL, {}: {}", text, url.error().message));
  }
  while (url->target.ends_with('/')) url->target.pop_back();
  if (url->target.contains('?')) {
    return fail(ErrorCode::InvalidArgument, "the server's URL has a query: " + text);
  }
  if (url->target.empty()) url->target = kDefaultBasePath;
  return url;
}

}  // namespace

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
  // A server that is named by its URL is none of the configuration, unless its name is given, too.
  const std::string wanted = first_of({options.cluster, variable("SLUICE_CLUSTER")});
  ClusterEntry entry;
  if (server.empty() || !wanted.empty()) {
    TRY(settings.cluster, choose_cluster(config, wanted, settings.config_file));
    if (!settings.cluster.empty()) entry = config.clusters.at(settings.cluster);
  }
  const std::string url = first_of({server, entry.server});
  if (url.empty()) {
    return fail(
        ErrorCode::InvalidArgument,
        "which server? Set SLUICE_SERVER=https://HOST/cluster-api, or give --server, or name "
        "it in " +
            settings.config_file);
  }
  TRY(settings.server, parse_server(url));
  settings.project = first_of({options.project, variable("SLUICE_PROJECT"), entry.project});
  if (options.token_file.empty()) settings.token = variable("SLUICE_TOKEN");
  settings.token_file =
      first_of({options.token_file, variable("SLUICE_TOKEN_FILE"), entry.token_file});
  settings.ca_file = first_of({options.ca_file, variable("SLUICE_CA_FILE"), entry.ca_file});
  settings.insecure = options.insecure || entry.insecure;
  return settings;
}

}  // namespace sluice::cli
