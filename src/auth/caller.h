// Who asks: what a verified token says of its bearer.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace sluice::auth {

struct Caller {
  std::string user;
  std::vector<std::string> groups;
  WallTime expires_at;  // a session of this caller ends then (close code 1008)
};

}  // namespace sluice::auth
