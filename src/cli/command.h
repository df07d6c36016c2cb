// What a command line asks for, once parsed.
#pragma once

#include <functional>
#include <variant>

#include "cli/cluster/context.h"

namespace sluice::cli {

/// The exit code. Errors: of any kind; exit_code_of() makes an exit code of it. Cancelled: a signal
/// came.
using RemoteCommand = std::function<net::Task<Result<int>>(Context&)>;
/// One that needs no server.
using LocalCommand = std::function<Result<int>(const GlobalOptions&, const Environment&)>;

using Command = std::variant<RemoteCommand, LocalCommand>;

}  // namespace sluice::cli
