// When a container that ended runs again: contract sections 9 and 10. Pure.
#pragma once

#include "backend/local/workloads_file.h"
#include "base/clock.h"

namespace sluice::backend::local {

/// Waits grow from run to run: none, 1 s, 2 s, 4 s … 60 s; a run of 10 minutes starts over.
class RestartBackOff {
 public:
  /// How long to wait before the next run, given how long the last one was.
  nanoseconds next(nanoseconds ran_for);

 private:
  seconds wait_{0};
};

enum class RunResult { Succeeded, Failed };

bool restarts(RestartPolicy policy, RunResult result);

}  // namespace sluice::backend::local
