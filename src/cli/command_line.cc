#include "cli/command_line.h"

#include <algorithm>
#include <span>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/other_commands.h"
#include "cli/verbs.h"
#include "cli/version.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kFooter =
    "Examples:\n"
    "  sluice list -p vision\n"
    "  sluice logs -f my-train\n"
    "  sluice training pytorch exec -it my-train -- bash\n"
    "  sluice workspace port-forward my-notebook --port 8888\n"
    "\n"
    "Environment: SLUICE_SERVER, SLUICE_TOKEN, SLUICE_PROJECT, SLUICE_CLUSTER, SLUICE_CONFIG,\n"
    "SLUICE_CA_FILE, SLUICE_TOKEN_FILE, HTTPS_PROXY, NO_PROXY.\n"
    "Exit codes: 0 in order, 1 the server or the workload failed, 2 usage, 3 not authenticated or\n"
    "not allowed, 4 not found, 5 no connection; exec and attach: the command's own.";

void add_global_options(CLI::App& app, GlobalOptions& options) {
  app.add_option("-p,--project", options.project, "The project")->type_name("PROJECT");
  app.add_option("--cluster", options.cluster, "A cluster of the configuration")->type_name("NAME");
  app.add_option("--server", options.server, "The server's URL, https://HOST/cluster-api")
      ->type_name("URL");
  app.add_option("--config", options.config_file, "The configuration file")->type_name("FILE");
  app.add_option("--token-file", options.token_file, "A file that holds the token")
      ->type_name("FILE");
  app.add_option("--ca-file", options.ca_file, "Certificates of authorities to trust")
      ->type_name("FILE");
  app.add_flag("--insecure-skip-tls-verify", options.insecure,
               "Don't check the server's certificate");
}

constexpr ClassWord kTypes[] = {
    {"workspace", "workspace", "runai", "Workspaces"},
    {"training", "training", "runai", "Trainings; `training pytorch` and others: distributed ones"},
    {"inference", "inference", "runai", "Inference servers"},
    {"external", "external", "external", "Workloads of other systems"},
    {"distributed", "distributed", "any", "Distributed trainings of any framework"},
};
constexpr ClassWord kTrainings[] = {
    {"standard", "training", "runai", "Trainings that are not distributed"},
    {"pytorch", "distributed", "pytorch", "Distributed by PyTorch"},
    {"tensorflow", "distributed", "tf", "Distributed by TensorFlow"},
    {"mpi", "distributed", "mpi", "Distributed by MPI"},
    {"xgboost", "distributed", "xgboost", "Distributed by XGBoost"},
    {"jax", "distributed", "jax", "Distributed by JAX"},
};

/// Adds a command for each verb below the word.
CLI::App& add_class(CLI::App& parent, const ClassWord& word, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand(word.name, word.help);
  app.require_subcommand(1);
  add_verbs(app, word, chosen);
  return app;
}

void add_classes(CLI::App& app, Chosen& chosen) {
  for (const ClassWord& word : kTypes) {
    CLI::App& type = add_class(app, word, chosen);
    if (word.name != std::string_view("training")) continue;
    for (const ClassWord& training : kTrainings) add_class(type, training, chosen);
  }
  CLI::App& any = *app.add_subcommand("workload", "Workloads of any type, by --type");
  any.require_subcommand(1);
  add_verbs(any, std::nullopt, chosen);
}

std::vector<std::string> command_names(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

bool takes_value(CLI::App& app, const std::string& word) {
  const CLI::Option* option = app.get_option_no_throw(word);
  return option != nullptr && option->get_items_expected_max() > 0;
}

/// The first word where a command should stand and none does, and the command that is nearest; ""
/// when that is not what is wrong.
std::string unknown_command(CLI::App& app, std::span<const char* const> words) {
  CLI::App* at = &app;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i];
    if (word.starts_with('-')) {
      if (takes_value(app, word)) ++i;
      continue;
    }
    const std::vector<std::string> known = command_names(*at);
    if (known.empty()) return {};
    if (std::ranges::find(known, word) != known.end()) {
      at = at->get_subcommand(word);
      continue;
    }
    const auto near = nearest(word, known);
    return fmt::format("no command \"{}\"; {}", word,
                       near ? fmt::format("did you mean \"{}\"?", *near)
                            : fmt::format("`{} --help` lists them", at->get_name()));
  }
  return {};
}

/// Help goes to stdout, what is wrong to stderr.
int end_of_parsing(CLI::App& app, const CLI::ParseError& error,
                   std::span<const char* const> words) {
  const auto success = static_cast<int>(CLI::ExitCodes::Success);
  if (error.get_exit_code() == success) return app.exit(error);
  std::string problem = unknown_command(app, words);
  if (problem.empty()) problem = error.what();
  note(problem);
  note("`--help` behind a command shows what it takes");
  return kUsage;
}

}  // namespace

std::optional<Invocation> parse_command_line(int argc, const char* const* argv, int& exit_code) {
  CLI::App app("Logs, shells, ports and state of a cluster's workloads.", "sluice");
  app.require_subcommand(1);
  app.fallthrough();
  app.option_defaults()->always_capture_default(false);
  app.set_version_flag("--version", fmt::format("sluice {}", kVersion));
  Invocation invocation;
  Chosen chosen;
  add_global_options(app, invocation.global);
  add_verbs(app, std::nullopt, chosen);
  add_classes(app, chosen);
  add_other_commands(app, chosen);
  app.footer(std::string(kFooter));  // now: commands inherit it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::span words(argv, static_cast<std::size_t>(argc));
    exit_code = end_of_parsing(app, error, words.subspan(1));
    return std::nullopt;
  }
  invocation.command = std::move(chosen.command);
  return invocation;
}

}  // namespace sluice::cli
