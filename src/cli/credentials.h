// Credentials: the token that requests carry.
#pragma once

#include <string>

#include "cli/settings.h"
#include "net/task.h"

namespace sluice::cli {

class Credentials {
 public:
  explicit Credentials(const Settings& settings);

  /// Of the environment, or of the token file, which is read each time: it may be renewed there.
  /// Errors: Unauthenticated, saying how to get one.
  net::Task<Result<std::string>> token();

 private:
  std::string token_;
  std::string token_file_;
};

}  // namespace sluice::cli
