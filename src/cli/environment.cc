#include "cli/environment.h"

#include <cstdlib>

namespace sluice::cli {
namespace {

std::string folder(const Environment& environment, const char* variable, const char* in_home) {
  if (const auto base = environment.get(variable)) return *base + "/sluice";
  const auto home = environment.get("HOME");
  return home ? *home + in_home + "/sluice" : std::string();
}

}  // namespace

std::optional<std::string> ProcessEnvironment::get(const std::string& name) const {
  const char* value = std::getenv(name.c_str());  // no other thread sets any
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::string config_folder(const Environment& environment) {
  return folder(environment, "XDG_CONFIG_HOME", "/.config");
}

std::string state_folder(const Environment& environment) {
  return folder(environment, "XDG_STATE_HOME", "/.local/state");
}

}  // namespace sluice::cli
