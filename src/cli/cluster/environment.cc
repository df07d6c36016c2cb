#include "cli/cluster/environment.h"

#include <cstdlib>

namespace sluice::cli {

std::optional<std::string> ProcessEnvironment::get(const std::string& name) const {
  const char* value = std::getenv(name.c_str());  // no other thread sets any
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::string config_folder(const Environment& environment) {
  if (const auto base = environment.get("XDG_CONFIG_HOME")) return *base + "/sluice";
  const auto home = environment.get("HOME");
  return home ? *home + "/.config/sluice" : std::string();
}

}  // namespace sluice::cli
