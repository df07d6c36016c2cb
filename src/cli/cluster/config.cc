#include "cli/cluster/config.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxConfigBytes = 1_MiB;
constexpr unsigned kOwnerOnly = 0600;
constexpr std::string_view kInsecure = "insecureSkipTlsVerify";

struct TextKey {
  std::string_view name;
  std::string ClusterEntry::* member;
};
constexpr std::array kTextKeys{
    TextKey{"server", &ClusterEntry::server},
    TextKey{"project", &ClusterEntry::project},
    TextKey{"caFile", &ClusterEntry::ca_file},
    TextKey{"tokenFile", &ClusterEntry::token_file},
    TextKey{"issuer", &ClusterEntry::issuer},
    TextKey{"clientId", &ClusterEntry::client_id},
    TextKey{"clientSecretFile", &ClusterEntry::client_secret_file},
};

Result<ClusterEntry> read_entry(const yaml::Value& value) {
  TRY(yaml::Mapping map, value.as_mapping());
  ClusterEntry entry;
  for (const TextKey& key : kTextKeys) {
    if (const auto text = map.take(key.name)) {
      TRY(entry.*key.member, text->as_string());
    }
  }
  if (const auto insecure = map.take(kInsecure)) {
    TRY(entry.insecure, insecure->as_bool());
  }
  TRY_VOID(map.finish());
  return entry;
}

/// JSON strings are YAML strings.
std::string quoted(const std::string& text) { return json::serialize(json::value(text)); }

const TextKey* find_text_key(std::string_view name) {
  const auto* const found = std::ranges::find(kTextKeys, name, &TextKey::name);
  return found == kTextKeys.end() ? nullptr : found;
}

std::unexpected<Error> no_key(std::string_view key) {
  const std::vector<std::string_view> keys = config_keys();
  const auto near = nearest(key, keys);
  return fail(ErrorCode::InvalidArgument,
              near ? fmt::format("no key \"{}\"; did you mean \"{}\"?", key, *near)
                   : fmt::format("no key \"{}\"; there are: {}", key, fmt::join(keys, ", ")));
}

}  // namespace

std::string unknown_cluster(const Config& config, const std::string& name,
                            const std::string& file) {
  return fmt::format("no cluster \"{}\" in {}; it has: {}", name, file,
                     fmt::join(std::views::keys(config.clusters), ", "));
}

std::vector<std::string_view> config_keys() {
  std::vector<std::string_view> names;
  for (const TextKey& key : kTextKeys) names.push_back(key.name);
  names.push_back(kInsecure);
  return names;
}

Result<std::string> get_value(const ClusterEntry& entry, std::string_view key) {
  if (key == kInsecure) return entry.insecure ? "true" : "false";
  const TextKey* const text = find_text_key(key);
  if (text == nullptr) return no_key(key);
  return entry.*text->member;
}

Result<> set_value(ClusterEntry& entry, std::string_view key, const std::string& value) {
  if (key == kInsecure) {
    const auto flag = parse_bool(value.empty() ? "false" : value);
    if (!flag) return fail(ErrorCode::InvalidArgument, "expected true or false, not " + value);
    entry.insecure = *flag;
    return {};
  }
  const TextKey* const text = find_text_key(key);
  if (text == nullptr) return no_key(key);
  entry.*text->member = value;
  return {};
}

Result<> write_config(const Config& config, const std::string& file) {
  const Result<> made = make_private_folder(std::filesystem::path(file).parent_path());
  if (!made) return fail(ErrorCode::Internal, made.error().message);
  Result<> written = write_file_atomically(file, format_config(config), kOwnerOnly);
  if (written) return written;
  return fail(ErrorCode::Internal, file + ": cannot be written: " + written.error().message);
}

Result<Config> parse_config(std::string_view text, const std::string& file) {
  TRY(const yaml::Value document, yaml::parse(text, file));
  TRY(yaml::Mapping map, document.as_mapping());
  Config config;
  if (const auto current = map.take("current")) {
    TRY(config.current, current->as_string());
  }
  if (const auto clusters = map.take("clusters")) {
    TRY(yaml::Mapping entries, clusters->as_mapping());
    for (const auto& [name, value] : entries.take_rest()) {
      TRY(config.clusters[name], read_entry(value));
    }
  }
  TRY_VOID(map.finish());
  return config;
}

Result<Config> read_config(const std::string& file) {
  const Result<std::string> text = read_file(file, kMaxConfigBytes);
  if (text) return parse_config(*text, file);
  if (text.error().code == ErrorCode::NotFound) return Config();
  return fail(ErrorCode::InvalidArgument, file + ": cannot be read: " + text.error().message);
}

std::string format_config(const Config& config) {
  std::string text;
  if (!config.current.empty()) text += fmt::format("current: {}\n", quoted(config.current));
  if (config.clusters.empty()) return text;
  text += "clusters:\n";
  for (const auto& [name, entry] : config.clusters) {
    text += fmt::format("  {}:{}\n", quoted(name), entry == ClusterEntry() ? " {}" : "");
    for (const TextKey& key : kTextKeys) {
      const std::string& value = entry.*key.member;
      if (!value.empty()) text += fmt::format("    {}: {}\n", key.name, quoted(value));
    }
    if (entry.insecure) text += fmt::format("    {}: true\n", kInsecure);
  }
  return text;
}

}  // namespace sluice::cli
