// Who asks: what a verified token says of its bearer.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace sluice::auth {

struct Caller {
  std::string user;
  std::vector<std::string> groups;
  WallTime expires_at;  // a session of this caller ends then (close code 1008)
  /// What the configuration asks for beside them, key and value, for a backend that impersonates
  /// the caller; a key with several values stands several times.
  std::vector<std::pair<std::string, std::string>> extras;
};

}  // namespace sluice::auth
