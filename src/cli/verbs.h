// The commands that are of one workload, below `sluice` and below each type, and their options.
#pragma once

#include <optional>

#include "cli/grammar.h"

namespace sluice::cli {

/// logs, describe and the others that are of one workload, and list. Without a word, --type and
/// --framework can say of what type it is.
void add_verbs(CLI::App& app, const std::optional<ClassWord>& word, Chosen& chosen);

}  // namespace sluice::cli
