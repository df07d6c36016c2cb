// -o: how what the server said is shown.
#pragma once

#include <string>

#include "base/json.h"

namespace sluice::cli {

enum class OutputFormat { Table, Json, Yaml };

/// Indented by two, members in the order in which they came.
std::string to_pretty_json(const json::value& value);
std::string to_yaml(const json::value& value);
/// For Json and Yaml.
std::string format_as(OutputFormat format, const json::value& value);

}  // namespace sluice::cli
