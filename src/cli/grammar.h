// Grammar: all commands and options of the program, defined once: for parsing, for completion in a
// shell, and for the reference.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>

#include "cli/chosen.h"
#include "cli/cluster/settings.h"

namespace sluice::cli {

/// What the words before a verb say of a workload: `training pytorch`.
struct ClassWord {
  const char* name;
  const char* type;  // and the framework, as paths have them
  const char* framework;
  const char* help;
};

/// A name and what it is for, where the reference lists such.
struct Described {
  const char* name;
  const char* help;
};

struct Grammar {
  Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  CLI::App app;
  GlobalOptions global;  // once parsed
  Chosen chosen;
};

/// The commands directly below one, and the one of them that has the name; null: none has.
std::vector<const CLI::App*> commands_of(const CLI::App& app);
CLI::App* find_command(CLI::App& app, const std::string& name);

/// Those that may stand first, and those behind `training`.
std::span<const ClassWord> type_words();
std::span<const ClassWord> training_words();
/// The last of the words that is one, where `words` are those before a verb; null: none is.
const ClassWord* find_class(std::span<const std::string> words);

std::span<const Described> environment_variables();
std::span<const Described> exit_codes();

}  // namespace sluice::cli
