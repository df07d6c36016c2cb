#include "cli/grammar.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/other_commands.h"
#include "cli/verbs.h"
#include "cli/version.h"

namespace sluice::cli {
namespace {

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

constexpr Described kVariables[] = {
    {"SLUICE_SERVER", "the server's URL, https://HOST/cluster-api"},
    {"SLUICE_PROJECT", "the project"},
    {"SLUICE_TOKEN", "the token itself"},
    {"SLUICE_TOKEN_FILE", "a file that holds the token"},
    {"SLUICE_CLIENT_SECRET", "the secret of a client that logs in for itself"},
    {"SLUICE_CA_FILE", "certificates of authorities to trust"},
    {"SLUICE_CLUSTER", "a cluster of the configuration"},
    {"SLUICE_CONFIG", "the configuration file"},
    {"HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "the proxy, and which hosts need none"},
    {"NO_COLOR", "no colours, also at a terminal"},
};
constexpr Described kExitCodes[] = {
    {"0", "in order"},
    {"1", "the server or the workload refused or failed, or something of this machine did"},
    {"2", "usage: the command line, the configuration, a bad value"},
    {"3", "no valid token, or not allowed"},
    {"4", "no such project, workload, pod or container, or no such path in one"},
    {"5", "the server can't be reached, or was lost"},
    {"128 + n", "ended by signal n"},
};

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

std::string list_of(std::string_view title, std::span<const Described> rows) {
  std::size_t width = 0;
  for (const Described& row : rows) width = std::max(width, std::string_view(row.name).size());
  std::string text = fmt::format("\n\n{}:", title);
  for (const Described& row : rows)
    text += fmt::format("\n  {:<{}}  {}", row.name, width, row.help);
  return text;
}

}  // namespace

Grammar::Grammar() : app("Logs, shells, ports and state of a cluster's workloads.", "sluice") {
  app.require_subcommand(1);
  app.fallthrough();
  app.option_defaults()->always_capture_default(false);
  app.set_version_flag("--version", fmt::format("sluice {}", kVersion), "Print the version");
  add_global_options(app, global);
  add_verbs(app, std::nullopt, chosen);
  add_classes(app, chosen);
  add_other_commands(app, chosen);
  // Last: commands would inherit it.
  add_examples(app, {"sluice login --server https://HOST/cluster-api --issuer URL --client-id ID",
                     "sluice list -p vision", "sluice logs -f my-train",
                     "sluice training pytorch exec -it my-train -- bash",
                     "sluice workspace port-forward my-notebook --port 8888"});
  app.footer(app.get_footer() + list_of("Environment", kVariables) +
             list_of("Exit codes", kExitCodes) +
             "\nexec and attach end as the remote command did, where that is known.");
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

CLI::App* find_command(CLI::App& app, const std::string& name) {
  const std::vector<CLI::App*> all = app.get_subcommands([](CLI::App*) { return true; });
  const auto found = std::ranges::find(all, name, [](CLI::App* one) { return one->get_name(); });
  return found == all.end() ? nullptr : *found;
}

std::span<const ClassWord> type_words() { return kTypes; }
std::span<const ClassWord> training_words() { return kTrainings; }
std::span<const Described> environment_variables() { return kVariables; }
std::span<const Described> exit_codes() { return kExitCodes; }

const ClassWord* find_class(std::span<const std::string> words) {
  const ClassWord* found = nullptr;
  for (const std::string& word : words) {
    for (const ClassWord& one : found == nullptr ? type_words() : training_words()) {
      if (word == one.name) found = &one;
    }
  }
  return found;
}

}  // namespace sluice::cli
