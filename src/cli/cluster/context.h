// Context: what carrying out a command needs that asks the server.
#pragma once

#include "base/random.h"
#include "cli/cluster/cluster_api.h"
#include "cli/cluster/environment.h"
#include "cli/cluster/settings.h"
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

}  // namespace sluice::cli
