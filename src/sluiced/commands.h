// What sluiced can be told to do, besides printing its version. Each returns the exit code: 0, or 2
// with a message on stderr for what the operator has to put right.
#pragma once

#include <string>
#include <vector>

namespace sluice::sluiced {

inline constexpr int kSuccess = 0;
inline constexpr int kBadConfig = 2;

/// Serves until a signal ends it. Must be called before any thread is started. `called_as` is the
/// program's name on the command line.
int serve(const std::string& called_as, const std::string& config_file);
/// Reads the configuration and every file it names.
int check(const std::string& config_file);

struct TokenRequest {
  std::string config_file;
  std::string user;
  std::vector<std::string> groups;
  std::string ttl = "1h";
};
/// Prints a token of the development issuer.
int mint_token(const TokenRequest& request);

}  // namespace sluice::sluiced
