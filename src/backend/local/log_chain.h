// LogChain's links: the files of one run of a container, as readers on any loop walk them while one
// writer appends. A reader holds the file it stands in, which holds all later ones and, by the open
// descriptor, their bytes after they were unlinked: rotation simply lets go of the first.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/unique_fd.h"

namespace sluice::backend::local {

/// One file of a run. Written by one thread; any thread reads, without a lock. Whole records only
/// are ever committed.
struct LogFile {
  LogFile() = default;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  /// Lets go of the files behind it one by one: a long chain must not recurse.
  ~LogFile();

  /// What is at the reader's place, asked in the order that makes the answers fit together.
  struct State {
    std::uint64_t committed = 0;  // bytes that may be read
    bool closed = false;          // no more will be committed; `next` may be read
  };
  State state() const {
    const bool is_closed = closed.load();
    return {committed.load(), is_closed};
  }

  UniqueFd fd;  // absent: an empty file (no run yet, or the disk refused one)
  std::atomic<std::uint64_t> committed{0};
  std::atomic<bool> closed{false};
  std::shared_ptr<LogFile> next;  // read only once closed; null then: the run has ended
  /// The disk refused lines that belong at this offset; the latest such place. Read it after
  /// `lost_bytes`, the container's count of lost bytes up to there.
  std::atomic<std::uint64_t> gap_at{0};
  std::atomic<std::uint64_t> lost_bytes{0};
  /// Its bytes were given back to the disk under a reader that was too slow. Ask after each pread.
  std::atomic<bool> lost{false};
};

/// Ends `file`; what comes after it, or null. Then signal.
void close_file(LogFile& file, std::shared_ptr<LogFile> next);

/// Files that rotation deleted and readers may still hold. The writer's thread only.
class DeletedLogFiles {
 public:
  void add(const std::shared_ptr<LogFile>& file) { files_.push_back(file); }
  /// Frees the oldest ones until all together hold at most `limit_bytes`. True: some were lost.
  bool enforce(std::uint64_t limit_bytes);

 private:
  std::vector<std::weak_ptr<LogFile>> files_;  // oldest first
};

}  // namespace sluice::backend::local
