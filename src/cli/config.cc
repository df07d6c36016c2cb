#include "cli/config.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxConfigBytes = 1_MiB;
constexpr std::string_view kInsecure = "insecureSkipTlsVerify";

struct TextKey {
  std::string_view name;
  std::string ClusterEntry::* member;
};
constexpr std::array kTextKeys{
    TextKey{"server", &ClusterEntry::server},  TextKey{"project", &ClusterEntry::project},
    TextKey{"caFile", &ClusterEntry::ca_file}, TextKey{"tokenFile", &ClusterEntry::token_file},
    TextKey{"issuer", &ClusterEntry::issuer},  TextKey{"clientId", &ClusterEntry::client_id},
};

std::unexpected<Error> unknown_key(std::string_view key) {
  std::vector<std::string_view> names{kInsecure};
  for (const TextKey& known : kTextKeys) names.push_back(known.name);
  std::string message = fmt::format("unknown key \"{}\"", key);
  if (const auto near = nearest(key, names)) message += fmt::format("; did you mean {}?", *near);
  return fail(ErrorCode::InvalidArgument, std::move(message));
}

const TextKey* find_text_key(std::string_view name) {
  const auto* const found = std::ranges::find(kTextKeys, name, &TextKey::name);
  return found == kTextKeys.end() ? nullptr : found;
}

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

}  // namespace

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

Result<> set_key(ClusterEntry& entry, std::string_view key, const std::string& value) {
  if (key == kInsecure) {
    const auto flag = parse_bool(value);
    if (!flag) return fail(ErrorCode::InvalidArgument, fmt::format("{}: true or false", key));
    entry.insecure = *flag;
    return {};
  }
  const TextKey* known = find_text_key(key);
  if (known == nullptr) return unknown_key(key);
  entry.*known->member = value;
  return {};
}

Result<std::string> get_key(const ClusterEntry& entry, std::string_view key) {
  if (key == kInsecure) return std::string(entry.insecure ? "true" : "false");
  const TextKey* known = find_text_key(key);
  if (known == nullptr) return unknown_key(key);
  return entry.*known->member;
}

}  // namespace sluice::cli
