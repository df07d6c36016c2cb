// yield: lets everything else that is ready on the loop go first. For tasks that may find what they
// wait for there already, again and again: one peer that is always ready must not keep the loop
// from all others.
#pragma once

#include "net/task.h"

namespace sluice::net {

/// Completes once the loop has come round. Errors: Cancelled.
Task<Result<>> yield();

}  // namespace sluice::net
