// The commands that are of one workload, below `sluice` and below each type, and their options.
#pragma once

#include <optional>

#include "cli/chosen.h"

namespace sluice::cli {

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

}  // namespace sluice::cli
