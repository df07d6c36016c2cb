// An environment of a test's own.
#pragma once

#include <map>

#include "cli/cluster/environment.h"

namespace sluice::cli {

class FakeEnvironment final : public Environment {
 public:
  explicit FakeEnvironment(std::map<std::string, std::string> variables = {})
      : variables_(std::move(variables)) {}

  std::optional<std::string> get(const std::string& name) const override {
    const auto found = variables_.find(name);
    if (found == variables_.end() || found->second.empty()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::string, std::string> variables_;
};

}  // namespace sluice::cli
