// The commands that are of no workload, and their options.
#pragma once

#include "cli/chosen.h"

namespace sluice::cli {

void add_other_commands(CLI::App& app, Chosen& chosen);

}  // namespace sluice::cli
