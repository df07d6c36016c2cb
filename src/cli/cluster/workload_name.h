// What a command line says of the workload that it is about.
#pragma once

#include <string>

namespace sluice::cli {

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
