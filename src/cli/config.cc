#include "cli/config.h"

#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
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
    TextKey{"server", &ClusterEntry::server},
    TextKey{"project", &ClusterEntry::project},
    TextKey{"caFile", &ClusterEntry::ca_file},
    TextKey{"tokenFile", &ClusterEntry::token_file},
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

}  // namespace sluice::cli
