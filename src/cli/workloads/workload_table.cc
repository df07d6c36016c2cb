#include "cli/workloads/workload_table.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::cli {
namespace {

using json::text_of;

/// Of a moment in the past: "3d4h", with the two largest units.
std::string age_of(std::string_view created, WallTime now) {
  const auto then = parse_rfc3339(created);
  if (!then) return "";
  struct Unit {
    std::int64_t size;
    char name;
  };
  constexpr Unit kUnits[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
  std::int64_t left = std::max<std::int64_t>((now - *then) / seconds(1), 0);
  std::string age;
  int shown = 0;
  for (const Unit& unit : kUnits) {
    if (left >= unit.size && shown < 2) {
      age += fmt::format("{}{}", left / unit.size, unit.name);
      ++shown;
    } else if (shown > 0) {
      break;
    }
    left %= unit.size;
  }
  return age.empty() ? "0s" : age;
}

}  // namespace

std::vector<std::string> workload_columns() {
  return {"NAME", "TYPE", "FRAMEWORK", "PHASE", "PODS", "AGE", "MESSAGE"};
}

std::vector<std::string> workload_row(const json::object& workload, WallTime now) {
  const json::object& pods = json::object_of(workload, "pods");
  const auto count = [&](const char* name) { return json::find_int64(pods, name).value_or(0); };
  return {text_of(workload, "name"),
          text_of(workload, "type"),
          text_of(workload, "framework"),
          text_of(workload, "phase"),
          fmt::format("{}/{}", count("running"), count("total")),
          age_of(text_of(workload, "createdAt"), now),
          text_of(workload, "message")};
}

}  // namespace sluice::cli
