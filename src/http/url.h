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
};

/// Errors: InvalidArgument (another scheme, no host, user information, malformed).
Result<Url> parse_url(const std::string& text);

}  // namespace sluice::http
