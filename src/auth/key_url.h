// Which URLs keys may be fetched from: whoever can change what comes back can sign anything.
#pragma once

#include <string_view>

#include "base/result.h"

namespace sluice::auth {

/// https, or http to this machine. Errors: InvalidArgument.
Result<> check_key_url(std::string_view url);

}  // namespace sluice::auth
