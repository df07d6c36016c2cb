// The commands below `sluice` and below each type, and their options.
#pragma once

#include <optional>

#include "cli/command.h"

namespace CLI {
class App;
}

namespace sluice::cli {

/// The command that was parsed.
struct Chosen {
  Command command;
};

/// What the words before a verb say of a workload: `training pytorch`.
struct ClassWord {
  const char* name;
  const char* type;  // and the framework, as paths have them
  const char* framework;
  const char* help;
};

/// logs, describe and the others that are of one workload, and list. Without a word, --type and
/// --framework can say of what type it is.
void add_verbs(CLI::App& app, const std::optional<ClassWord>& word, Chosen& chosen);
/// Those that are of no workload.
void add_other_commands(CLI::App& app, Chosen& chosen);

}  // namespace sluice::cli
