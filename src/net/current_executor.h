// The loop that a task runs on, asked from within.
#pragma once

#include "net/task.h"

namespace sluice::net {

/// The loop that the calling task runs on.
Task<Executor> current_executor();

}  // namespace sluice::net
