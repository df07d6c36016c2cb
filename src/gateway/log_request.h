// The query of logs and logs/download (contract section 5).
#pragma once

#include "backend/options.h"
#include "gateway/query.h"

namespace sluice::gateway {

struct LogRequest {
  backend::Target target;
  backend::LogOptions options;
};

/// A download is always one shot: `follow` there is an unknown field.
enum class LogDelivery { Stream, Download };

/// `now` turns sinceSeconds into a time. Errors: InvalidArgument.
Result<LogRequest> parse_log_request(std::string_view raw_query, LogDelivery delivery,
                                     WallTime now);

}  // namespace sluice::gateway
