#include "backend/log_reader_options.h"

namespace sluice::backend {

loglines::ReaderOptions reader_options(const LogOptions& options, loglines::Format format) {
  loglines::ReaderOptions reader;
  reader.format = format;
  reader.timestamps = options.timestamps ? loglines::Timestamps::Keep : loglines::Timestamps::Strip;
  reader.since = options.since;
  reader.limit_bytes = options.limit_bytes;
  return reader;
}

}  // namespace sluice::backend
