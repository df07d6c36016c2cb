#include "backend/local/container_environment.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sluice::backend::local {
namespace {

using namespace std::string_view_literals;

constexpr std::array kInherited{"PATH"sv, "HOME"sv, "USER"sv,  "LOGNAME"sv,
                                "LANG"sv, "TZ"sv,   "TMPDIR"sv};

bool is_inherited(std::string_view name, bool tty) {
  return std::ranges::find(kInherited, name) != kInherited.end() || name.starts_with("LC_") ||
         (tty && name == "TERM");
}

}  // namespace

std::vector<std::string> container_environment(const std::vector<std::string>& inherited,
                                               const workload::WorkloadRef& workload,
                                               const std::string& pod, int replica_index,
                                               const ContainerSpec& container) {
  std::map<std::string, std::string> variables{{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  if (container.tty) variables["TERM"] = "xterm";
  for (const std::string& entry : inherited) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || !is_inherited(entry.substr(0, equals), container.tty))
      continue;
    variables[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  if (container.user) {
    variables["HOME"] = container.user->home;
    variables["USER"] = variables["LOGNAME"] = container.user->name;
    variables["SHELL"] = container.user->shell;
    variables.erase("TMPDIR");  // it may be closed to that user
  }
  for (const auto& [name, value] : container.environment) variables[name] = value;
  variables["SLUICE_PROJECT"] = workload.project;
  variables["SLUICE_WORKLOAD"] = workload.name;
  variables["SLUICE_POD"] = pod;
  variables["SLUICE_CONTAINER"] = container.name;
  variables["SLUICE_REPLICA_INDEX"] = std::to_string(replica_index);
  std::vector<std::string> result;
  for (const auto& [name, value] : variables) result.push_back(name + "=" + value);
  return result;
}

}  // namespace sluice::backend::local
