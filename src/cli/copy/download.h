// From a container to this machine.
#pragma once

#include "cli/copy/copy.h"

namespace sluice::cli {

/// As run_copy().
net::Task<Result<int>> download(Context& context, Copy copy);

}  // namespace sluice::cli
