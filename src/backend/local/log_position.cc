#include "backend/local/log_position.h"

#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "loglines/tail_finder.h"

namespace sluice::backend::local {
namespace {

constexpr std::size_t kFirstBlockBytes = 16_KiB;  // most tails are short
constexpr std::size_t kBlockBytes = 256_KiB;
constexpr std::size_t kProbeBytes = 64_KiB;  // more than a record of ours

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

struct Probe {
  std::uint64_t begin = 0;  // of the record
  bool is_earlier = false;  // than the time looked for
};

/// The first record that begins at or after `offset`, if it is within reach.
std::optional<Probe> probe(const LogSnapshot::File& file, std::uint64_t offset, WallTime since,
                           std::vector<char>& buffer) {
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(kProbeBytes, file.size - offset));
  std::string_view text = read_at(*file.file, offset, size, buffer);
  if (offset > 0) {
    const std::size_t newline = text.find('\n');
    if (newline == std::string_view::npos) return std::nullopt;
    text.remove_prefix(newline + 1);
  }
  if (text.empty()) return std::nullopt;
  const std::uint64_t begin = offset + size - text.size();
  const loglines::Record record =
      loglines::parse_record(loglines::Format::Cri, text.substr(0, text.find('\n')));
  const std::optional<WallTime> time = loglines::time_of(record.stamp);
  return Probe{begin, time && *time < since};
}

/// A record before which all are earlier than `since`: stamps never go back within a run.
LogPosition find_since(const LogSnapshot& snapshot, WallTime since) {
  std::vector<char> buffer;
  for (std::size_t i = snapshot.files.size(); i-- > 0;) {
    const LogSnapshot::File& file = snapshot.files[i];
    const std::optional<Probe> first = probe(file, 0, since, buffer);
    if (!first || !first->is_earlier) continue;
    std::uint64_t low = 0;
    std::uint64_t high = file.size;
    while (high - low > kProbeBytes) {
      const std::uint64_t middle = low + (high - low) / 2;
      const std::optional<Probe> found = probe(file, middle, since, buffer);
      if (found && found->begin < high && found->is_earlier) {
        low = found->begin;
      } else {
        high = middle;
      }
    }
    return {i, low, {}};
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
