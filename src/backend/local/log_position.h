// Where in a run's files a stream begins: at the first, at the tail, or at a time. Reads as little
// as it can of large logs: the tail backwards, a time by halving.
#pragma once

#include <memory>
#include <vector>

#include "backend/local/log_chain.h"
#include "backend/options.h"
#include "loglines/reader.h"

namespace sluice::backend::local {

/// A run as it was at one moment: each file with the bytes that were committed then.
struct LogSnapshot {
  struct File {
    std::shared_ptr<LogFile> file;  // owners: as of the chain
    std::uint64_t size = 0;
  };
  explicit LogSnapshot(std::shared_ptr<LogFile> first);

  std::vector<File> files;  // never empty; oldest first
  bool ended = false;       // the run had ended
};

struct LogPosition {
  std::size_t file = 0;  // index into the snapshot
  std::uint64_t offset = 0;
  std::array<std::uint64_t, loglines::kChannels> skip_bytes{};  // for the reader that begins there
};

/// The tail if one is asked for, else the first record that may be at or after `since`, else the
/// first.
LogPosition find_position(const LogSnapshot& snapshot, const LogOptions& options);

}  // namespace sluice::backend::local
