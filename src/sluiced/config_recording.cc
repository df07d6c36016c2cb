#include <algorithm>

#include <fmt/format.h>

#include "sluiced/config.h"

namespace sluice::sluiced {
namespace {

/// Only these sessions have something to record.
Result<> check_verbs(const yaml::Value& list, const auth::PolicyConfig& rules) {
  constexpr std::string_view kVerbs[] = {"exec", "attach", "*"};
  for (const auth::PolicyRule& rule : rules.rules) {
    for (const std::string& verb : rule.verbs) {
      if (std::ranges::find(kVerbs, verb) != std::end(kVerbs)) continue;
      return fail(list.error(
          fmt::format("sessions of {} are not recorded; expected exec, attach or *", verb)));
    }
  }
  return {};
}

}  // namespace

Result<> read_recording(const yaml::Value& section, Config& config) {
  constexpr std::string_view kOnFailure[] = {"report", "refuse"};
  constexpr std::int64_t kLeastBytes = 4096;
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;
  TRY(yaml::Mapping map, section.as_mapping());
  RecordingConfig recording;
  recording::RecorderOptions& options = recording.options;
  if (const auto value = map.take("maxLag")) {
    TRY(options.max_lag, value->as_duration());
    const bool is_in_range = options.max_lag >= milliseconds(1) && options.max_lag <= seconds(60);
    if (!is_in_range) return fail(value->error("expected 1ms to 1m"));
  }
  if (const auto value = map.take("input")) {
    TRY(options.input, value->as_bool());
  }
  TRY_VOID(take_number(map, "maxSize", kLeastBytes, kMostBytes, options.max_bytes));
  if (const auto value = map.take("onFailure")) {
    TRY(const std::size_t choice, read_choice(*value, kOnFailure));
    options.on_failure = static_cast<recording::OnFailure>(choice);
  }
  for (const std::string_view key : {"folder", "rules"}) map.take(key);
  TRY_VOID(map.finish());
  TRY(const yaml::Value folder, map.require("folder"));
  TRY(const yaml::Value rules, map.require("rules"));
  TRY(recording.folder, read_path(folder, config));
  TRY(recording.rules, read_rules(rules));
  TRY_VOID(check_verbs(rules, recording.rules));
  config.recording = std::move(recording);
  return {};
}

}  // namespace sluice::sluiced
