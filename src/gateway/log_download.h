// logs/download: a log as a file, in chunks, compressed where the client takes it (contract section
// 5).
#pragma once

#include "backend/streams.h"
#include "gateway/exchange.h"
#include "gateway/services.h"

namespace sluice::gateway {

/// "my-jp_my-jp-0-0_main_20260102T030405Z.log".
std::string download_file_name(const workload::ContainerRef& container, WallTime now);

/// Sends the whole log. When the log or the client fails midway the connection is aborted without a
/// last chunk, so that nobody takes a part for the whole. Errors: what the first read fails with.
net::Task<Result<Answer>> send_log_download(const Services& services, Exchange& exchange,
                                            const workload::ContainerRef& container,
                                            std::unique_ptr<backend::LogStream> log);

}  // namespace sluice::gateway
