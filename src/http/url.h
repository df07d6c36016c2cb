// The http and https URLs that we connect to, taken apart (RFC 3986).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace sluice::http {

struct Url {
  bool secure = false;    // https
  std::string host;       // a name or an address, without brackets
  std::string authority;  // host and port as they stood, as the Host field wants them
  std::uint16_t port = 0;
  std::string target;  // path and query; at least "/"
  bool operator==(const Url&) const = default;
};

/// Errors: InvalidArgument (another scheme, no host, no such port, a password, malformed).
Result<Url> parse_url(const std::string& text);
std::string to_string(const Url& url);
/// Nobody on the way reads what is sent there: https, or this machine.
bool is_confidential(const Url& url);

}  // namespace sluice::http
