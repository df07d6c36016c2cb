#include "backend/kubernetes/access/kubeconfig.h"

#include <map>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"
#include "base/yaml.h"

namespace sluice::backend::kubernetes {
namespace {

using yaml::Mapping;
using yaml::Value;

bool is_null(const Value& value) {
  return !value.is_list() && !value.is_mapping() && !value.as_string();
}

/// Absent and null are both "".
Result<std::string> text_at(Mapping& mapping, std::string_view key) {
  const std::optional<Value> value = mapping.take(key);
  if (!value || is_null(*value)) return std::string();
  return value->as_string();
}

Result<bool> flag_at(Mapping& mapping, std::string_view key) {
  const std::optional<Value> value = mapping.take(key);
  if (!value || is_null(*value)) return false;
  return value->as_bool();
}

Result<std::vector<Value>> list_at(Mapping& mapping, std::string_view key) {
  const std::optional<Value> value = mapping.take(key);
  if (!value || is_null(*value)) return std::vector<Value>();
  return value->as_list();
}

std::string resolve_path(const std::string& file, const std::string& path) {
  const std::size_t slash = file.rfind('/');
  if (path.empty() || path.starts_with('/') || slash == std::string::npos) return path;
  return file.substr(0, slash + 1) + path;
}

/// A cluster, user or context: its mapping, and the file that it stands in.
struct Section {
  Mapping mapping;
  std::string file;
};
using Sections = std::map<std::string, Section, std::less<>>;

/// "a, b"
std::string names_of(const Sections& sections) {
  std::string names;
  for (const auto& [name, section] : sections) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "there are none" : "there are " + names;
}

struct Merged {
  Sections clusters, users, contexts;
  std::string current_context;
};

/// Adds `clusters: [{name: a, cluster: {…}}, …]`.
Result<> add_sections(Sections& sections, Mapping& document, const std::string& file,
                      std::string_view list_key, std::string_view key) {
  TRY(const std::vector<Value> items, list_at(document, list_key));
  for (const Value& item : items) {
    TRY(Mapping entry, item.as_mapping());
    TRY(const Value name, entry.require("name"));
    TRY(std::string name_text, name.as_string());
    std::optional<Value> content = entry.take(key);
    if (!content || is_null(*content)) continue;
    TRY(Mapping mapping, content->as_mapping());
    sections.try_emplace(std::move(name_text), std::move(mapping), file);
  }
  return {};
}

Result<> merge(Merged& merged, const KubeconfigFile& file) {
  TRY(const Value value, yaml::parse(file.text, file.path));
  TRY(Mapping document, value.as_mapping());
  TRY_VOID(add_sections(merged.clusters, document, file.path, "clusters", "cluster"));
  TRY_VOID(add_sections(merged.users, document, file.path, "users", "user"));
  TRY_VOID(add_sections(merged.contexts, document, file.path, "contexts", "context"));
  TRY(std::string current, text_at(document, "current-context"));
  if (merged.current_context.empty()) merged.current_context = std::move(current);
  return {};
}

/// `NAME-data` (base64 of the text), else the file that NAME says.
Result<TextOrFile> text_or_file(Section& section, const std::string& name) {
  TRY(const std::string path, text_at(section.mapping, name));
  const std::optional<Value> inline_value = section.mapping.take(name + "-data");
  if (!inline_value || is_null(*inline_value)) {
    return TextOrFile{{}, resolve_path(section.file, path)};
  }
  TRY(std::string encoded, inline_value->as_string());
  std::erase_if(encoded, [](char c) { return c == '\n' || c == ' ' || c == '\r'; });
  std::optional<std::string> text = base64_decode_any(encoded);
  if (!text) return fail(inline_value->error("expected base64"));
  if (text->empty()) return TextOrFile{{}, resolve_path(section.file, path)};
  return TextOrFile{*std::move(text), {}};
}

Result<> read_cluster(ClusterConfig& config, Section& section) {
  TRY(const Value server, section.mapping.require("server"));
  TRY(std::string url, server.as_string());
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    return fail(
        server.error(fmt::format("expected a URL such as https://10.0.0.1:6443, got \"{}\"", url)));
  }
  config.servers = {std::move(url)};
  TRY(config.authorities, text_or_file(section, "certificate-authority"));
  TRY(config.insecure_skip_tls_verify, flag_at(section.mapping, "insecure-skip-tls-verify"));
  if (config.insecure_skip_tls_verify && !config.authorities.empty()) {
    return fail(section.mapping.error(
        "insecure-skip-tls-verify and a certificate authority exclude each other"));
  }
  TRY(config.tls_server_name, text_at(section.mapping, "tls-server-name"));
  TRY(config.proxy_url, text_at(section.mapping, "proxy-url"));
  const std::string& proxy = config.proxy_url;
  if (!proxy.empty() && !proxy.starts_with("http://") && !proxy.starts_with("socks5://")) {
    return fail(section.mapping.error(
        fmt::format("proxy-url: expected an http:// or socks5:// URL, got \"{}\"", proxy)));
  }
  return {};
}

Result<> read_environment(ExecPlugin& plugin, Mapping& mapping) {
  TRY(const std::vector<Value> variables, list_at(mapping, "env"));
  for (const Value& variable : variables) {
    TRY(Mapping entry, variable.as_mapping());
    TRY(const Value name, entry.require("name"));
    TRY(std::string name_text, name.as_string());
    TRY(std::string value, text_at(entry, "value"));
    plugin.environment.emplace_back(std::move(name_text), std::move(value));
  }
  return {};
}

Result<ExecPlugin> read_plugin(const Value& value, const std::string& file) {
  TRY(Mapping mapping, value.as_mapping());
  ExecPlugin plugin;
  TRY(const Value command, mapping.require("command"));
  TRY(plugin.command, command.as_string());
  // A bare name is looked up in PATH.
  if (plugin.command.contains('/')) plugin.command = resolve_path(file, plugin.command);
  TRY(const Value version, mapping.require("apiVersion"));
  TRY(plugin.api_version, version.as_string());
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    return fail(version.error(fmt::format(
        "expected client.authentication.k8s.io/v1 or /v1beta1, got \"{}\"", plugin.api_version)));
  }
  TRY(const std::vector<Value> arguments, list_at(mapping, "args"));
  for (const Value& argument : arguments) {
    TRY(std::string text, argument.as_string());
    plugin.arguments.push_back(std::move(text));
  }
  TRY_VOID(read_environment(plugin, mapping));
  TRY(plugin.wants_cluster, flag_at(mapping, "provideClusterInfo"));
  TRY(plugin.install_hint, text_at(mapping, "installHint"));
  TRY(const std::string mode, text_at(mapping, "interactiveMode"));
  if (mode == "Always") {
    return fail(mapping.error("interactiveMode Always: a server has no terminal to answer it"));
  }
  return plugin;
}

/// What would say who we are in a way that is not ours.
Result<> refuse_others(Mapping& mapping) {
  constexpr std::pair<std::string_view, std::string_view> kRefused[] = {
      {"username", "basic authentication is no longer part of Kubernetes: use a token"},
      {"password", "basic authentication is no longer part of Kubernetes: use a token"},
      {"auth-provider", "auth providers are no longer part of Kubernetes: use an exec plugin"},
      {"as", "impersonation is for callers, not for the gateway: use an account of its own"},
      {"as-uid", "impersonation is for callers, not for the gateway: use an account of its own"},
      {"as-groups", "impersonation is for callers, not for the gateway: use an account of its own"},
      {"as-user-extra",
       "impersonation is for callers, not for the gateway: use an account of its own"},
  };
  for (const auto& [key, why] : kRefused) {
    const std::optional<Value> value = mapping.take(key);
    if (value && !is_null(*value)) return fail(value->error(why));
  }
  return {};
}

Result<> read_user(ClusterConfig& config, Section& section) {
  TRY_VOID(refuse_others(section.mapping));
  TRY(config.token, text_at(section.mapping, "token"));
  TRY(const std::string token_file, text_at(section.mapping, "tokenFile"));
  if (!token_file.empty()) {
    config.token_file = resolve_path(section.file, token_file);
    config.token.clear();
  }
  TRY(config.client_certificate, text_or_file(section, "client-certificate"));
  TRY(config.client_key, text_or_file(section, "client-key"));
  if (config.client_certificate.empty() != config.client_key.empty()) {
    return fail(section.mapping.error("client-certificate and client-key belong together"));
  }
  const std::optional<Value> exec = section.mapping.take("exec");
  if (!exec || is_null(*exec)) return {};
  if (!config.token.empty() || !config.token_file.empty()) {
    return fail(exec->error("a token and an exec plugin exclude each other"));
  }
  TRY(config.exec, read_plugin(*exec, section.file));
  return {};
}

/// The section that a context names; null when it names none. Errors: InvalidArgument.
Result<Section*> find_section(Sections& sections, Mapping& context, std::string_view key) {
  const std::optional<Value> name = context.take(key);
  if (!name || is_null(*name)) return nullptr;
  TRY(const std::string text, name->as_string());
  if (text.empty()) return nullptr;
  const auto found = sections.find(text);
  if (found == sections.end()) {
    return fail(name->error(fmt::format("no {} \"{}\": {}", key, text, names_of(sections))));
  }
  return &found->second;
}

}  // namespace

Result<ClusterConfig> parse_kubeconfig(std::span<const KubeconfigFile> files,
                                       std::string_view context) {
  Merged merged;
  std::string paths;
  for (const KubeconfigFile& file : files) {
    paths += (paths.empty() ? "" : ":") + file.path;
    TRY_VOID(merge(merged, file));
  }
  const std::string name(context.empty() ? merged.current_context : context);
  if (name.empty()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: no current-context, and no context is chosen: {}", paths,
                            names_of(merged.contexts)));
  }
  const auto chosen = merged.contexts.find(name);
  if (chosen == merged.contexts.end()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: no context \"{}\": {}", paths, name, names_of(merged.contexts)));
  }
  Mapping& mapping = chosen->second.mapping;
  TRY(Section* const cluster, find_section(merged.clusters, mapping, "cluster"));
  if (cluster == nullptr) return fail(mapping.error("missing key cluster"));
  ClusterConfig config;
  TRY_VOID(read_cluster(config, *cluster));
  TRY(Section* const user, find_section(merged.users, mapping, "user"));
  if (user != nullptr) TRY_VOID(read_user(config, *user));
  return config;
}

std::vector<std::string> split_kubeconfig_list(std::string_view list) {
  std::vector<std::string> paths;
  for (const std::string_view path : split(list, ':')) {
    if (!path.empty()) paths.emplace_back(path);
  }
  return paths;
}

}  // namespace sluice::backend::kubernetes
