// From this machine to a container.
#pragma once

#include "cli/copy/copy.h"

namespace sluice::cli {

/// As run_copy().
net::Task<Result<int>> upload(Context& context, Copy copy);

}  // namespace sluice::cli
