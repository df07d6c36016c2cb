// What a request for a log (LogOptions) means to the reader of its stored lines: the same for every
// backend that reads them.
#pragma once

#include "backend/options.h"
#include "loglines/reader.h"

namespace sluice::backend {

/// Where the reading begins, and so the tail, is the caller's: `skip_bytes` is left to it.
loglines::ReaderOptions reader_options(const LogOptions& options, loglines::Format format);

}  // namespace sluice::backend
