// The command line's grammar: that of the Run:ai CLI v2, `sluice TYPE [FRAMEWORK] VERB NAME`, and
// without a type where only one workload has the name.
#pragma once

#include "cli/command.h"

namespace sluice::cli {

struct Invocation {
  GlobalOptions global;
  Command command;
};

/// nullopt: it was asked for help or the version, which is printed, or was wrong, which is said;
/// `exit_code` tells.
std::optional<Invocation> parse_command_line(int argc, const char* const* argv, int& exit_code);

}  // namespace sluice::cli
