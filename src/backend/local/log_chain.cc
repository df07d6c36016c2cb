#include "backend/local/log_chain.h"

#include <unistd.h>

#include <utility>

namespace sluice::backend::local {

LogFile::~LogFile() {
  // Taken apart in a loop, since a chain may be longer than the stack is deep. Each file is left to
  // its shared_ptr: use_count() would not order this thread behind the reader that let go last.
  thread_local std::vector<std::shared_ptr<LogFile>> doomed;
  thread_local bool draining = false;
  doomed.push_back(std::move(next));
  if (draining) return;
  draining = true;
  while (!doomed.empty()) {
    const std::shared_ptr<LogFile> file = std::move(doomed.back());
    doomed.pop_back();
  }
  draining = false;
}

void close_file(LogFile& file, std::shared_ptr<LogFile> next) {
  file.next = std::move(next);
  file.closed.store(true);
}

bool DeletedLogFiles::enforce(std::uint64_t limit_bytes) {
  std::vector<std::shared_ptr<LogFile>> held;
  for (const auto& weak : files_) {
    if (auto file = weak.lock()) held.push_back(std::move(file));
  }
  files_.assign(held.begin(), held.end());
  std::uint64_t kept_bytes = 0;
  bool some_lost = false;
  for (std::size_t i = held.size(); i-- > 0;) {
    LogFile& file = *held[i];
    kept_bytes += file.committed.load();
    if (kept_bytes <= limit_bytes || file.committed.load() == 0) continue;
    file.lost.store(true);  // before the bytes go: a reader asks after it has read
    if (::ftruncate(file.fd.get(), 0) == 0) some_lost = true;
  }
  std::erase_if(files_, [](const auto& weak) {
    const auto file = weak.lock();
    return !file || file->lost.load();
  });
  return some_lost;
}

}  // namespace sluice::backend::local
