#include "cli/chosen.h"

#include <map>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sluice::cli {
namespace {

const std::map<std::string, OutputFormat> kFormats{
    {"table", OutputFormat::Table}, {"json", OutputFormat::Json}, {"yaml", OutputFormat::Yaml}};

}  // namespace

void choose(CLI::App& app, Chosen& chosen, Command command) {
  app.final_callback([&chosen, command = std::move(command)] { chosen.command = command; });
}

void add_examples(CLI::App& app, std::initializer_list<std::string_view> lines) {
  std::string text = "Examples:";
  for (const std::string_view line : lines) text += fmt::format("\n  {}", line);
  app.footer(text);
}

void add_format(CLI::App& app, OutputFormat& format) {
  app.add_option("-o,--output", format, "table, json or yaml")
      ->transform(CLI::CheckedTransformer(kFormats, CLI::ignore_case).description(""))
      ->type_name("FORMAT");
}

}  // namespace sluice::cli
