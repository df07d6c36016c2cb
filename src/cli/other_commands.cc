#include "cli/other_commands.h"

#include <charconv>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion.h"
#include "cli/config_command.h"
#include "cli/login.h"
#include "cli/replay.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "cli/version.h"
#include "cli/workloads/status.h"

namespace sluice::cli {
namespace {

void add_status(CLI::App& parent, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("status", "Show the cluster's state");
  add_examples(app, {"sluice status", "sluice status -o json"});
  auto format = std::make_shared<OutputFormat>(OutputFormat::Table);
  add_format(app, *format);
  choose(app, chosen,
         RemoteCommand([format](Context& context) { return run_status(context, *format); }));
}

void add_completion(CLI::App& parent, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("completion", "Print what a shell completes words by");
  add_examples(app, {"source <(sluice completion bash)", "source <(sluice completion zsh)",
                     "sluice completion fish | source"});
  auto shell = std::make_shared<Shell>(Shell::Bash);
  app.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->transform(one_of({{"bash", static_cast<int>(Shell::Bash)},
                          {"zsh", static_cast<int>(Shell::Zsh)},
                          {"fish", static_cast<int>(Shell::Fish)}}))
      ->type_name("");
  choose(app, chosen,
         LocalCommand([shell](const GlobalOptions&, const Environment&) -> Result<int> {
           return print(completion_script(*shell));
         }));
}

void add_version(CLI::App& parent, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("version", "Print the version");
  choose(app, chosen, LocalCommand([](const GlobalOptions&, const Environment&) -> Result<int> {
           return print(fmt::format("sluice {}\n", kVersion));
         }));
}

void add_config(CLI::App& parent, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("config", "The configuration file, key by key");
  app.require_subcommand(1);
  const std::string keys = fmt::format("{}", fmt::join(config_keys(), ", "));
  struct Words {
    std::string key, value, cluster;
    OutputFormat format = OutputFormat::Table;
  };
  auto words = std::make_shared<Words>();
  const auto choose_local = [&](CLI::App& command, auto run) {
    choose(command, chosen,
           LocalCommand([words, run](const GlobalOptions& global, const Environment& environment) {
             return run(global, environment, *words);
           }));
  };
  CLI::App& set = *app.add_subcommand("set", "Set a key of a cluster; \"\" takes it away");
  set.add_option("KEY", words->key, keys)->required()->type_name("");
  set.add_option("VALUE", words->value, "What to set it to")->required()->type_name("");
  choose_local(set, [](const auto& global, const auto& environment, const Words& given) {
    return run_config_set(global, environment, given.key, given.value);
  });
  CLI::App& get = *app.add_subcommand("get", "Print a key of a cluster");
  get.add_option("KEY", words->key, keys)->required()->type_name("");
  choose_local(get, [](const auto& global, const auto& environment, const Words& given) {
    return run_config_get(global, environment, given.key);
  });
  CLI::App& list = *app.add_subcommand("list", "Show all clusters");
  add_format(list, words->format);
  choose_local(list, [](const auto& global, const auto& environment, const Words& given) {
    return run_config_list(global, environment, given.format);
  });
  CLI::App& use = *app.add_subcommand("use", "Make a cluster the current one");
  use.add_option("NAME", words->cluster, "The cluster")->required()->type_name("");
  choose_local(use, [](const auto& global, const auto& environment, const Words& given) {
    return run_config_use(global, environment, given.cluster);
  });
  // Last: the commands would inherit them.
  add_examples(app, {"sluice config set server https://lab.example --cluster lab",
                     "sluice config set project vision", "sluice config use lab"});
}

/// As CLI::Range, which lets NaN pass.
CLI::Validator number_validator(double least, double most) {
  return CLI::Validator(
      [least, most](std::string& text) {
        double number = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, number);
        const bool is_fine =
            error == std::errc() && stop == end && number >= least && number <= most;
        return is_fine ? std::string()
                       : fmt::format("expected a number from {} to {}", least, most);
      },
      "");
}

void add_replay(CLI::App& parent, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("replay", "Play a recorded session");
  add_examples(app, {"sluice replay 2026-01-02T030405Z-0123456789abcdef.cast",
                     "sluice replay --speed 4 --idle-limit 1 session.cast",
                     "ssh gateway cat session.cast | sluice replay -"});
  auto options = std::make_shared<ReplayOptions>();
  app.add_option("FILE", options->file, "An asciicast, version 2; - is stdin")
      ->required()
      ->type_name("");
  app.add_option("--speed", options->speed, "So many times as fast")
      ->check(number_validator(1e-6, 1e9))
      ->type_name("N");
  app.add_option("--idle-limit", options->idle_limit_seconds,
                 "No pause is longer; 0: there is none")
      ->check(number_validator(0, 1e9))
      ->type_name("SECONDS");
  app.add_flag("--input", options->input, "Show what was typed, too, where that is recorded");
  choose(app, chosen, LocalCommand([options](const GlobalOptions&, const Environment&) {
           return run_replay(*options);
         }));
}

void add_login(CLI::App& parent, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("login", "Get a token from the server's issuer");
  add_examples(app,
               {"sluice login --server https://HOST/cluster-api --issuer URL --client-id sluice",
                "sluice login --user alice",
                "sluice login --client-id robot --client-secret-file /run/secrets/robot"});
  auto options = std::make_shared<LoginOptions>();
  app.add_option("--issuer", options->issuer, "The OpenID Connect issuer that the server trusts")
      ->type_name("URL");
  app.add_option("--client-id", options->client_id, "What the issuer knows this program by")
      ->type_name("ID");
  auto* secret = app.add_option("--client-secret-file", options->client_secret_file,
                                "A file with the secret of a client that logs in for itself")
                     ->type_name("FILE");
  app.add_option("--user", options->user, "Log in as this user, by a password")
      ->excludes(secret)
      ->type_name("NAME");
  app.add_option("--scope", options->scope, "What to ask for; openid unless given")
      ->type_name("SCOPES");
  choose(app, chosen,
         RemoteCommand([options](Context& context) { return run_login(context, *options); }));
}

void add_logout(CLI::App& parent, Chosen& chosen) {
  CLI::App& app = *parent.add_subcommand("logout", "Give the token back and forget it");
  add_examples(app, {"sluice logout"});
  choose(app, chosen, RemoteCommand(run_logout));
}

}  // namespace

void add_other_commands(CLI::App& app, Chosen& chosen) {
  add_status(app, chosen);
  add_login(app, chosen);
  add_logout(app, chosen);
  add_config(app, chosen);
  add_replay(app, chosen);
  add_completion(app, chosen);
  add_version(app, chosen);
}

}  // namespace sluice::cli
