#include "cli/chosen.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace sluice::cli {
void choose(CLI::App& app, Chosen& chosen, Command command) {
  app.final_callback([&chosen, command = std::move(command)] { chosen.command = command; });
}

void add_examples(CLI::App& app, std::initializer_list<std::string_view> lines) {
  std::string text = "Examples:";
  for (const std::string_view line : lines) text += fmt::format("\n  {}", line);
  app.footer(text);
}

CLI::Validator one_of(std::vector<std::pair<std::string, int>> words) {
  return CLI::Validator(
      [words = std::move(words)](std::string& text) {
        std::string known;
        for (const auto& [word, value] : words) {
          known += (known.empty() ? "" : ", ") + word;
          if (!equals_ignore_case(text, word)) continue;
          text = std::to_string(value);
          return std::string();
        }
        return fmt::format("\"{}\" is none of: {}", text, known);
      },
      "");
}

void add_format(CLI::App& app, OutputFormat& format) {
  app.add_option("-o,--output", format, "table, json or yaml")
      ->transform(one_of({{"table", static_cast<int>(OutputFormat::Table)},
                          {"json", static_cast<int>(OutputFormat::Json)},
                          {"yaml", static_cast<int>(OutputFormat::Yaml)}}))
      ->type_name("FORMAT");
}

}  // namespace sluice::cli
