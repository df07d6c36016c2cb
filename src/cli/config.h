// The client's configuration file: which clusters there are, by name, and how to reach each.
//
//   current: lab
//   clusters:
//     lab:
//       server: https://lab.example/cluster-api
//       project: vision
//       caFile: /etc/ssl/lab.pem
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::cli {

struct ClusterEntry {
  std::string server;      // its URL; without a path, /cluster-api is meant
  std::string project;     // where -p is not given
  std::string ca_file;     // whom to trust beside the system's authorities; empty: nobody
  std::string token_file;  // holds a token
  bool insecure = false;   // the server's certificate is not checked
  bool operator==(const ClusterEntry&) const = default;
};

struct Config {
  std::string current;
  std::map<std::string, ClusterEntry> clusters;
  bool operator==(const Config&) const = default;
};

/// Errors: InvalidArgument: "FILE:LINE: KEY: problem".
Result<Config> parse_config(std::string_view yaml, const std::string& file);
/// A file that doesn't exist is an empty configuration. Errors: InvalidArgument.
Result<Config> read_config(const std::string& file);
/// As parse_config() reads it.
std::string format_config(const Config& config);

}  // namespace sluice::cli
