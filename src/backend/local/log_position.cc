#include "backend/local/log_position.h"

#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "loglines/tail_finder.h"
#include "loglines/time_search.h"

namespace sluice::backend::local {
namespace {

constexpr std::size_t kFirstBlockBytes = 16_KiB;  // most tails are short
constexpr std::size_t kBlockBytes = 256_KiB;

/// Empty when it can't be read: the file was given back to the disk.
std::string_view read_at(const LogFile& file, std::uint64_t offset, std::size_t size,
                         std::vector<char>& buffer) {
  buffer.resize(std::max(buffer.size(), size));
  const ssize_t count = ::pread(file.fd.get(), buffer.data(), size, static_cast<off_t>(offset));
  if (count != static_cast<ssize_t>(size)) return {};
  return {buffer.data(), size};
}

LogPosition position_before_end(const LogSnapshot& snapshot, std::uint64_t before_end) {
  std::size_t index = snapshot.files.size() - 1;
  while (before_end > snapshot.files[index].size && index > 0) {
    before_end -= snapshot.files[index].size;
    --index;
  }
  return {index, snapshot.files[index].size - before_end, {}};
}

/// Feeds one file, from its end. False: it can't be read, so the log begins after it.
bool find_tail_in(const LogSnapshot::File& file, loglines::TailFinder& finder,
                  std::vector<char>& buffer) {
  std::size_t block_bytes = kFirstBlockBytes;
  for (std::uint64_t end = file.size; end > 0 && !finder.found();) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes, end));
    const std::string_view block = read_at(*file.file, end - size, size, buffer);
    if (block.empty()) return false;
    std::size_t done = finder.feed_backward(block, size == end);
    if (done == 0 && block_bytes == kBlockBytes) {
      finder.skip(size);
      done = size;
    }
    block_bytes = kBlockBytes;
    end -= done;
  }
  return true;
}

LogPosition find_tail(const LogSnapshot& snapshot, std::uint64_t lines) {
  using loglines::LogEnd;
  loglines::TailFinder finder(lines, snapshot.ended ? LogEnd::Final : LogEnd::Open);
  std::vector<char> buffer;
  for (std::size_t i = snapshot.files.size(); i-- > 0 && !finder.found();) {
    if (!find_tail_in(snapshot.files[i], finder, buffer)) break;
  }
  LogPosition position = position_before_end(snapshot, finder.start().first());
  position.skip_bytes = finder.start().skip_bytes();
  return position;
}

/// At a record before which all are earlier than `since`.
LogPosition find_since(const LogSnapshot& snapshot, WallTime since) {
  std::vector<char> buffer;
  const auto probe = [&buffer](const LogSnapshot::File& file, std::uint64_t at) {
    const std::uint64_t size = std::min(loglines::TimeSearch::kProbeBytes, file.size - at);
    return read_at(*file.file, at, static_cast<std::size_t>(size), buffer);
  };
  for (std::size_t i = snapshot.files.size(); i-- > 0;) {
    const LogSnapshot::File& file = snapshot.files[i];
    if (!loglines::begins_before(probe(file, 0), since)) continue;
    loglines::TimeSearch search(file.size, since);
    while (!search.is_done()) search.take(probe(file, search.probe_at()));
    return {i, search.begin(), {}};
  }
  return {};
}

}  // namespace

LogSnapshot::LogSnapshot(std::shared_ptr<LogFile> first) {
  while (first) {
    const LogFile::State state = first->state();
    std::shared_ptr<LogFile> next = state.closed ? first->next : nullptr;
    ended = state.closed && !next;
    files.push_back({std::move(first), state.committed});
    first = std::move(next);
  }
}

LogPosition find_position(const LogSnapshot& snapshot, const LogOptions& options) {
  if (options.tail_lines) return find_tail(snapshot, *options.tail_lines);
  if (options.since) return find_since(snapshot, *options.since);
  return {};
}

}  // namespace sluice::backend::local
