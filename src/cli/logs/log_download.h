// `logs -o FILE`: a log as a file, by the server's download.
#pragma once

#include <string>

#include "cli/cluster/context.h"

namespace sluice::cli {

/// `path`: the download's, with its query. The file is replaced when the log is whole. Errors:
/// InvalidArgument (the file); Unavailable: the log is not whole; the server's.
net::Task<Result<int>> download_log(Context& context, const std::string& path,
                                    const std::string& file);

}  // namespace sluice::cli
