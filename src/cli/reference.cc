#include "cli/reference.h"

#include <algorithm>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/file.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "cli/version.h"

namespace sluice::cli {
namespace {

using Pages = std::map<std::string, std::string>;

constexpr unsigned kReadable = 0644;

/// A command as the documents have it.
struct Topic {
  const CLI::App* app;
  std::string name;      // "logs", "config set"
  std::string synopsis;  // "sluice [TYPE] logs [OPTIONS] NAME"
};

bool has(const std::vector<const CLI::App*>& commands, const std::string& name) {
  return std::ranges::any_of(commands,
                             [&](const CLI::App* one) { return one->get_name() == name; });
}

std::string positional_text(const CLI::Option& option) {
  std::string text = option.get_name(true);
  if (option.get_items_expected_max() > 1) text += "...";
  return option.get_required() ? text : "[" + text + "]";
}

std::string synopsis_of(const CLI::App& app, const std::string& words) {
  std::string text = words + " [OPTIONS]";
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) text += " " + positional_text(*option);
  }
  return text;
}

/// Those of a workload stand behind its type, too, and are described once.
std::vector<Topic> topics_of(const CLI::App& app) {
  const auto verbs = commands_of(*app.get_subcommand("workload"));
  std::vector<Topic> topics;
  for (const CLI::App* one : commands_of(app)) {
    const std::string& name = one->get_name();
    const auto below = commands_of(*one);
    if (has(verbs, name)) {
      topics.push_back({one, name, synopsis_of(*one, "sluice [TYPE [FRAMEWORK]] " + name)});
    } else if (below.empty()) {
      topics.push_back({one, name, synopsis_of(*one, "sluice " + name)});
    } else if (!has(below, verbs.front()->get_name())) {
      for (const CLI::App* leaf : below) {
        const std::string words = name + " " + leaf->get_name();
        topics.push_back({leaf, words, synopsis_of(*leaf, "sluice " + words)});
      }
    }
  }
  return topics;
}

/// "-c, --container CONTAINER".
std::string option_text(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  std::string text;
  for (const std::string& name : option.get_snames()) text += "-" + name;
  for (const std::string& name : option.get_lnames()) text += (text.empty() ? "--" : ", --") + name;
  const bool takes_value = option.get_items_expected_max() > 0;
  return takes_value ? text + " " + option.get_type_name() : text;
}

std::vector<std::string> example_lines(const CLI::App& app) {
  const std::string footer = app.get_footer();
  std::vector<std::string> lines;
  std::string_view text = footer;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.empty()) break;  // what follows is no example
    if (line.starts_with("  ")) lines.emplace_back(line.substr(2));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// --- Markdown ---

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

std::string rows(std::span<const Described> all, const char* what) {
  std::string text = fmt::format("| {} | |\n|---|---|\n", what);
  for (const Described& one : all) text += fmt::format("| `{}` | {} |\n", one.name, cell(one.help));
  return text;
}

std::string option_rows(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    text += fmt::format("| `{}` | {} |\n", option_text(*option), cell(option->get_description()));
  }
  return text.empty() ? text : "\n| Option | |\n|---|---|\n" + text;
}

std::string example_block(const CLI::App& app) {
  const std::vector<std::string> lines = example_lines(app);
  if (lines.empty()) return "";
  std::string text = "\n```sh\n";
  for (const std::string& line : lines) text += line + "\n";
  return text + "```\n";
}

std::string word_rows() {
  std::string text = "| Words | |\n|---|---|\n";
  for (const ClassWord& word : type_words()) {
    text += fmt::format("| `{}` | {} |\n", word.name, word.help);
    if (word.name != std::string_view("training")) continue;
    for (const ClassWord& one : training_words()) {
      text += fmt::format("| `training {}` | {} |\n", one.name, one.help);
    }
  }
  return text;
}

// --- man(7) ---

/// Text as it is: no macros, no escapes, hyphens that can be copied.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  if (escaped.starts_with('.') || escaped.starts_with('\'')) escaped.insert(0, "\\&");
  return escaped;
}

std::string roff_item(std::string_view name, std::string_view meaning) {
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(name), roff(meaning));
}

std::string roff_options(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    text += roff_item(option_text(*option), option->get_description());
  }
  return ".SH OPTIONS\n" + text;
}

std::string roff_examples(const CLI::App& app) {
  const std::vector<std::string> lines = example_lines(app);
  if (lines.empty()) return "";
  std::string text = ".SH EXAMPLES\n.nf\n";
  for (const std::string& line : lines) text += roff(line) + "\n";
  return text + ".fi\n";
}

std::string roff_head(const std::string& page, std::string_view purpose,
                      const std::string& synopsis) {
  std::string title = page;
  std::ranges::transform(title, title.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return fmt::format(
      ".TH \"{}\" 1 \"\" \"sluice {}\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n\\fB{}\\fR\n",
      roff(title), kVersion, roff(page), roff(purpose), roff(synopsis));
}

std::string page_name(const Topic& topic) {
  std::string name = "sluice-" + topic.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string main_page(const Grammar& grammar, const std::vector<Topic>& topics) {
  std::string text = roff_head("sluice", grammar.app.get_description(), "sluice COMMAND");
  text += ".SH COMMANDS\n";
  for (const Topic& topic : topics) text += roff_item(topic.name, topic.app->get_description());
  text += ".SH TYPES\nCommands of a workload may stand behind its type.\n";
  for (const ClassWord& word : type_words()) text += roff_item(word.name, word.help);
  for (const ClassWord& word : training_words()) {
    text += roff_item(fmt::format("training {}", word.name), word.help);
  }
  text += roff_options(grammar.app) + ".SH ENVIRONMENT\n";
  for (const Described& one : environment_variables()) text += roff_item(one.name, one.help);
  text += ".SH EXIT STATUS\n";
  for (const Described& one : exit_codes()) text += roff_item(one.name, one.help);
  text += roff_examples(grammar.app) + ".SH SEE ALSO\n";
  for (std::size_t i = 0; i < topics.size(); ++i) {
    text += fmt::format("{}(1){}\n", roff(page_name(topics[i])), i + 1 < topics.size() ? "," : "");
  }
  return text;
}

}  // namespace

std::string reference_page(const Grammar& grammar) {
  const std::vector<Topic> topics = topics_of(grammar.app);
  std::string text =
      "# `sluice`: the commands\n\n"
      "The program's own words, written by `./dev docs`. [user/cli.md](user/cli.md) says how to "
      "use them.\n\n";
  for (const Topic& topic : topics) {
    text += fmt::format("## sluice {}\n{}.\n\n    {}\n", topic.name, topic.app->get_description(),
                        topic.synopsis);
    text += option_rows(*topic.app) + example_block(*topic.app) + "\n";
  }
  text += "## Types\nCommands of a workload may stand behind its type.\n\n" + word_rows();
  text += "\n## Options of all commands\n" + option_rows(grammar.app);
  text += "\n## Environment\n" + rows(environment_variables(), "Variable");
  text += "\n## Exit codes\n" + rows(exit_codes(), "Code");
  return text;
}

std::map<std::string, std::string> manual_pages(const Grammar& grammar) {
  const std::vector<Topic> topics = topics_of(grammar.app);
  Pages pages{{"sluice.1", main_page(grammar, topics)}};
  for (const Topic& topic : topics) {
    const std::string name = page_name(topic);
    pages[name + ".1"] = roff_head(name, topic.app->get_description(), topic.synopsis) +
                         roff_options(*topic.app) + roff_examples(*topic.app) +
                         ".SH SEE ALSO\nsluice(1)\n";
  }
  return pages;
}

Command reference_command(std::span<const std::string> words) {
  const std::string folder = words.size() == 2 && words[0] == "man" ? words[1] : "";
  const bool is_page = words.size() == 1 && words[0] == "markdown";
  return LocalCommand([=](const GlobalOptions&, const Environment&) -> Result<int> {
    const Grammar grammar;
    if (is_page) return print(reference_page(grammar));
    if (folder.empty()) {
      return fail(ErrorCode::InvalidArgument, "expected `markdown` or `man FOLDER`");
    }
    for (const auto& [name, text] : manual_pages(grammar)) {
      TRY_VOID(write_file_atomically(folder + "/" + name, text, kReadable));
    }
    return kSuccess;
  });
}

}  // namespace sluice::cli
