// What a command line asks for, once parsed, and what carrying it out needs.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "base/random.h"
#include "cli/cluster_api.h"
#include "cli/environment.h"
#include "cli/settings.h"
#include "net/timers.h"

namespace sluice::cli {

/// All outlive the command. One loop, that of `executor`.
struct Context {
  const Settings& settings;
  const Environment& environment;
  Connector& connector;
  Credentials& credentials;
  ClusterApi& api;
  net::Executor executor;
  net::Timers& timers;
  Random& random;
};

/// The exit code. Errors: of any kind; exit_code_of() makes an exit code of it. Cancelled: a signal
/// came.
using RemoteCommand = std::function<net::Task<Result<int>>(Context&)>;
/// One that needs no server.
using LocalCommand = std::function<Result<int>(const GlobalOptions&, const Environment&)>;

using Command = std::variant<RemoteCommand, LocalCommand>;

/// The workload that a command line names.
struct WorkloadName {
  std::string name;
  std::string type;               // empty: for the server to say
  std::string framework = "any";  // of that type
};

/// Which pod and container; empty: the server's default.
struct TargetOptions {
  std::string pod;
  std::string container;
};

}  // namespace sluice::cli
