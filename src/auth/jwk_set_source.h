// Where an issuer's keys come from: a file, a URL, or OpenID Connect discovery; and keeping them
// fresh.
#pragma once

#include <functional>
#include <string>

#include "net/task.h"

namespace sluice::auth {

/// Gets the body of a URL. Ends by itself within some seconds and bounds the body; runs on the loop
/// that it is called on. Errors: any; the message is logged.
using Fetch = std::function<net::Task<Result<std::string>>(std::string url)>;

}  // namespace sluice::auth
