// sluiced: reads the command line; what it asks for is in commands.h.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/standard_descriptors.h"
#include "sluiced/commands.h"
#include "sluiced/version.h"

using namespace sluice::sluiced;

int main(int argc, char** argv) {
  sluice::open_standard_descriptors();
  CLI::App app("The gateway to a cluster's workloads: logs, exec, attach, port-forward, status.");
  std::string config_file;
  bool only_check = false;
  app.add_option("--config", config_file, "The configuration file")->type_name("FILE");
  app.add_flag("--check", only_check, "Only check the configuration and the files it names");
  app.set_version_flag("--version", fmt::format("sluiced {}", kVersion));

  TokenRequest token;
  CLI::App* token_command = app.add_subcommand("token", "Print a token of the development issuer");
  token_command->add_option("--config", token.config_file, "The configuration file")
      ->type_name("FILE");
  token_command->add_option("--user", token.user, "Whom the token names")->required();
  token_command->add_option("--group", token.groups, "A group of the user's; may be repeated");
  token_command->add_option("--ttl", token.ttl, "How long it is valid; default 1h");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSuccess : kBadConfig;
  }
  if (token.config_file.empty()) token.config_file = config_file;
  const std::string& needed = token_command->parsed() ? token.config_file : config_file;
  if (needed.empty()) {
    fmt::print(stderr, "--config FILE is required; --help lists the options\n");
    return kBadConfig;
  }
  if (token_command->parsed()) return mint_token(token);
  return only_check ? check(config_file) : serve(argv[0], config_file);
}
