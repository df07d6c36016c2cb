// What the definitions of the commands share (verbs.h, other_commands.h).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/terminal/output_format.h"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace sluice::cli {

/// The command that was parsed.
struct Chosen {
  Command command;
};

/// Makes `command` the one that was parsed, when it was `app`'s. The command holds what its options
/// are read into, and looks at that only when it is carried out: then the whole line has been
/// parsed.
void choose(CLI::App& app, Chosen& chosen, Command command);

/// Command lines that show what the command is for.
void add_examples(CLI::App& app, std::initializer_list<std::string_view> lines);

/// Takes one of the words, in any case, for the enumerator whose number is beside it.
CLI::Validator one_of(std::vector<std::pair<std::string, int>> words);

/// -o. `format` outlives the app.
void add_format(CLI::App& app, OutputFormat& format);

}  // namespace sluice::cli
