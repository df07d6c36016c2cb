// The process's environment as a value, so that tests bring their own.
#pragma once

#include <optional>
#include <string>

namespace sluice::cli {

class Environment {
 public:
  virtual ~Environment() = default;
  /// nullopt: not set, or empty.
  virtual std::optional<std::string> get(const std::string& name) const = 0;
};

class ProcessEnvironment final : public Environment {
 public:
  std::optional<std::string> get(const std::string& name) const override;
};

/// "~/.config/sluice" as the XDG base directory specification has it; empty without a home.
std::string config_folder(const Environment& environment);

}  // namespace sluice::cli
