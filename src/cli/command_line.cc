#include "cli/command_line.h"

#include <algorithm>
#include <span>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/completion.h"
#include "cli/grammar.h"
#include "cli/reference.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  return names;
}

bool takes_value(CLI::App& app, const std::string& word) {
  const CLI::Option* option = app.get_option_no_throw(word);
  return option != nullptr && option->get_items_expected_max() > 0;
}

/// The first word where a command should stand and none does, and the command that is nearest; ""
/// when that is not what is wrong.
std::string unknown_command(CLI::App& app, std::span<const std::string> words) {
  CLI::App* at = &app;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.starts_with('-')) {
      if (takes_value(app, word)) ++i;
      continue;
    }
    const std::vector<std::string> known = command_names(*at);
    if (known.empty()) return {};
    if (CLI::App* command = find_command(*at, word)) {
      at = command;
      continue;
    }
    const auto near = nearest(word, known);
    return fmt::format("no command \"{}\"; {}", word,
                       near ? fmt::format("did you mean \"{}\"?", *near)
                            : fmt::format("`{} --help` lists them", at->get_name()));
  }
  return {};
}

/// The first word that is no option though it begins as one; "" when that is not what is wrong.
std::string unknown_option(const CLI::App& app) {
  for (const std::string& word : app.remaining(true)) {
    if (word == "--" || !word.starts_with('-')) continue;
    return fmt::format(
        "no option \"{}\"; what is none comes behind `--`, or begins with ./ if it "
        "is a path",
        word);
  }
  return {};
}

/// Whether the words are of an exec whose command does not stand behind `--`.
bool lacks_dashes(std::span<const std::string> words) {
  const auto has = [&](const char* word) { return std::ranges::find(words, word) != words.end(); };
  return has("exec") && !has("--");
}

/// What is wrong with the words, in a sentence.
std::string problem_of(CLI::App& app, const CLI::ParseError& error,
                       std::span<const std::string> words) {
  const std::string command = unknown_command(app, words);
  if (!command.empty()) return command;
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && lacks_dashes(words)) {
    return "the command of exec goes behind --: sluice exec NAME -- COMMAND ARGUMENTS";
  }
  const std::string option = unknown_option(app);
  if (!option.empty()) return option;
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    for (const std::string& word : words) {
      const std::size_t equals = word.find('=');
      const bool is_value = equals != std::string::npos && word.starts_with('-');
      // All options that take text or a number say themselves what is wrong with it.
      if (is_value) return fmt::format("{} takes no value", word.substr(0, equals));
    }
  }
  return error.what();
}

/// Help goes to stdout, what is wrong to stderr.
int end_of_parsing(CLI::App& app, const CLI::ParseError& error,
                   std::span<const std::string> words) {
  const auto success = static_cast<int>(CLI::ExitCodes::Success);
  if (error.get_exit_code() == success || words.empty()) {
    const bool is_version = dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr;
    const Result<int> printed = print(is_version ? fmt::format("{}\n", error.what()) : app.help());
    if (printed) return *printed;
    report(printed.error());
    return exit_code_of(printed.error().code);
  }
  note(problem_of(app, error, words));
  note("`--help` behind a command shows what it takes");
  return kUsage;
}

}  // namespace

std::optional<Invocation> parse_command_line(int argc, const char* const* argv, int& exit_code) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  Grammar grammar;
  if (!words.empty() && words.front() == kCompleteWord) {
    Command answer = answer_of(complete(grammar, std::span(words).subspan(1)));
    return Invocation{std::move(grammar.global), std::move(answer)};
  }
  if (!words.empty() && words.front() == kReferenceWord) {
    return Invocation{{}, reference_command(std::span(words).subspan(1))};
  }
  try {
    grammar.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = end_of_parsing(grammar.app, error, words);
    return std::nullopt;
  }
  return Invocation{std::move(grammar.global), std::move(grammar.chosen.command)};
}

}  // namespace sluice::cli
