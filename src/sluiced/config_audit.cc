#include "sluiced/config.h"

namespace sluice::sluiced {

Result<> read_audit(const yaml::Value& section, Config& config) {
  constexpr std::string_view kOnFailure[] = {"report", "refuse"};
  constexpr std::string_view kCommands[] = {"full", "program", "none"};
  constexpr std::int64_t kLeastBytes = 4096;
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;
  constexpr std::int64_t kMostFiles = 10'000;
  TRY(yaml::Mapping map, section.as_mapping());
  AuditConfig audit;
  if (const auto value = map.take("file")) {
    TRY(audit.file.path, read_path(*value, config));
  }
  TRY_VOID(take_number(map, "maxSize", kLeastBytes, kMostBytes, audit.file.max_bytes));
  TRY_VOID(take_number(map, "keep", 1, kMostFiles, audit.file.keep));
  if (const auto value = map.take("sync")) {
    TRY(audit.file.sync, value->as_bool());
  }
  if (const auto value = map.take("onFailure")) {
    TRY(const std::size_t choice, read_choice(*value, kOnFailure));
    audit.on_failure = static_cast<AuditTrail::OnFailure>(choice);
  }
  if (const auto value = map.take("commands")) {
    TRY(const std::size_t choice, read_choice(*value, kCommands));
    config.gateway.audited_commands = static_cast<gateway::AuditedCommands>(choice);
  }
  TRY_VOID(map.finish());
  config.audit = audit;
  return {};
}

}  // namespace sluice::sluiced
