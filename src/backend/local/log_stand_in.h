// Until log_stream.h is there: a log that can't be opened.
#pragma once

#include "backend/local/container_log.h"
#include "net/task.h"
#if __has_include("backend/local/log_stream.h")
#include "backend/local/log_stream.h"
#else

namespace sluice::backend::local {

inline Result<std::unique_ptr<LogStream>> open_log_stream(std::shared_ptr<ContainerLog>, LogOptions,
                                                          net::Executor) {
  return fail(ErrorCode::Unavailable, "logs can't be read yet");
}

}  // namespace sluice::backend::local
#endif
