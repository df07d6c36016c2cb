// Settings: which cluster and project a command is for, and as whom: the command line's word, else
// the environment's (SLUICE_*), else the configuration file's.
#pragma once

#include <string>

#include "cli/cluster/config.h"
#include "cli/cluster/environment.h"
#include "http/url.h"

namespace sluice::cli {

/// Flags that every command takes; empty: not given.
struct GlobalOptions {
  std::string config_file;
  std::string cluster;
  std::string server;
  std::string project;
  std::string token_file;
  std::string ca_file;
  bool insecure = false;
};

struct Settings {
  std::string config_file;
  std::string cluster;  // its name in the configuration; empty: there is none, only a server
  http::Url server;     // `target` is the base path, without a slash at its end
  std::string project;  // empty: none
  std::string token;    // of the environment; empty: see the others
  std::string token_file;
  std::string ca_file;
  bool insecure = false;
  // How to log in; empty: not known.
  std::string issuer;
  std::string client_id;
  std::string client_secret_file;
};

/// Where the configuration is, whether it exists or not. Errors: InvalidArgument (no home).
Result<std::string> config_file_of(const GlobalOptions& options, const Environment& environment);

/// The cluster of the configuration that commands are about when none is named: the current one, or
/// the only one; empty: there is none.
std::string current_cluster(const Config& config);
/// "https://HOST/cluster-api" of what people write. Errors: InvalidArgument.
Result<http::Url> parse_server(const std::string& text);

/// Errors: InvalidArgument, saying what to set.
Result<Settings> resolve_settings(const GlobalOptions& options, const Environment& environment);

}  // namespace sluice::cli
