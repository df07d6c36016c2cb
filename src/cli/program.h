// The program's life: the loop, the signals, the exit code.
#pragma once

#include "cli/command_line.h"

namespace sluice::cli {

/// Carries the invocation out; returns the exit code. Before any thread is started.
int run(const Invocation& invocation);

}  // namespace sluice::cli
