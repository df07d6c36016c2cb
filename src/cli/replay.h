// sluice replay: plays a recorded session (recording/asciicast.h) at this terminal, with its own
// timing.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace sluice::cli {

struct ReplayOptions {
  std::string file;                          // "-": stdin
  double speed = 1;                          // more than 0
  std::optional<double> idle_limit_seconds;  // no pause is longer
  bool input = false;                        // show what was typed, too
};

/// The exit code. Errors: InvalidArgument (not an asciicast, no such file), Internal.
Result<int> run_replay(const ReplayOptions& options);

}  // namespace sluice::cli
