// The client's configuration file: which clusters there are, by name, and how to reach each.
//
//   current: lab
//   clusters:
//     lab:
//       server: https://lab.example/cluster-api
//       project: vision
//       caFile: /etc/ssl/lab.pem
//       issuer: https://auth.example/realms/lab
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::cli {

struct ClusterEntry {
  std::string server;      // its URL; without a path, /cluster-api is meant
  std::string project;     // where -p is not given
  std::string ca_file;     // whom to trust beside the system's authorities; empty: nobody
  std::string token_file;  // holds a token
  // How `sluice login` gets one:
  std::string issuer;              // of OpenID Connect, a URL
  std::string client_id;           // that the issuer knows the program by
  std::string client_secret_file;  // of a client that logs in for itself; empty: a person does
  bool insecure = false;           // the server's certificate is not checked
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
/// That a configuration has no cluster of a name, and which it has.
std::string unknown_cluster(const Config& config, const std::string& name, const std::string& file);
/// As parse_config() reads it.
std::string format_config(const Config& config);
/// Readable by its owner alone, as is its folder, which is made where there is none. Comments of
/// the file before are lost. Errors: Internal, naming the file.
Result<> write_config(const Config& config, const std::string& file);

/// The keys of an entry, in the order in which they are written.
std::vector<std::string_view> config_keys();
/// Errors of both: InvalidArgument: no such key, or a value that it can't have.
Result<std::string> get_value(const ClusterEntry& entry, std::string_view key);
/// "" takes the value away.
Result<> set_value(ClusterEntry& entry, std::string_view key, const std::string& value);

}  // namespace sluice::cli
