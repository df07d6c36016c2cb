#include "backend/local/log_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "observe/log.h"

namespace sluice::backend::local {
namespace {

constexpr std::size_t kBatchBytes = 256_KiB;
constexpr std::size_t kPrefixBytes = 40;  // "2026-01-02T03:04:05.000000006Z stdout F "
constexpr std::size_t kStampBytes = 30;
constexpr std::size_t kTagAt = 38;
constexpr std::size_t kRecordBytes = kPrefixBytes + LogWriter::kPartBytes + 1;

/// Records on their way to the disk; used by one call at a time.
struct Batch {
  std::size_t size = 0;
  std::array<char, kBatchBytes + kRecordBytes> bytes;
};

Batch& batch() {
  thread_local const std::unique_ptr<Batch> instance = std::make_unique<Batch>();
  return *instance;
}

std::shared_ptr<LogFile> open_log_file(const std::string& path) {
  auto file = std::make_shared<LogFile>();
  file->fd.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  return file;
}

/// As it stands in a record.
std::string_view name_of(OutputChannel channel) {
  return channel == OutputChannel::Stdout ? " stdout " : " stderr ";
}

std::string describe_errno(int error_number) {
  char buffer[128];
  return strerror_r(error_number, buffer, sizeof buffer);
}

/// kubelet's name for a rotated file, to the nanosecond: "0.log.20260102-030405.000000006".
std::string rotated_path(const std::string& path, WallTime time) {
  std::string stamp = format_rfc3339_nano(time);
  stamp[10] = '-';
  std::erase_if(stamp, [](char c) { return c == ':' || c == 'Z'; });
  stamp.erase(7, 1).erase(4, 1);
  return path + "." + stamp;
}

}  // namespace

LogWriter::LogWriter(const LogSettings& settings, std::string directory, int restart,
                     const Clock& clock, LogCounters& counters, DeletedLogFiles& deleted,
                     LogHead& published)
    : settings_(settings),
      path_(fmt::format("{}/{}.log", directory, restart)),
      clock_(clock),
      counters_(counters),
      deleted_(deleted),
      published_(published),
      flush_bytes_(std::min<std::uint64_t>(kBatchBytes, settings.rotate_bytes)) {
  files_.push_back({open_log_file(path_), path_});
}

void LogWriter::write(OutputChannel channel, Bytes bytes) {
  begin_batch(channel);
  std::string& partial = partial_[static_cast<std::size_t>(channel)];
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    const void* const newline = std::memchr(text.data(), '\n', text.size());
    if (newline == nullptr) {
      append_text(partial, text);
      break;
    }
    const auto size = static_cast<std::size_t>(static_cast<const char*>(newline) - text.data());
    std::string_view line = text.substr(0, size);
    text.remove_prefix(size + 1);
    if (partial.size() + line.size() > kPartBytes) {
      append_text(partial, line);
      line = {};
    }
    append_record('F', partial, line);
    partial.clear();
  }
  flush();
}

void LogWriter::finish() {
  for (const OutputChannel channel : {OutputChannel::Stdout, OutputChannel::Stderr}) {
    std::string& partial = partial_[static_cast<std::size_t>(channel)];
    if (partial.empty()) continue;
    begin_batch(channel);
    append_record('P', partial, {});
    flush();
    partial = {};
  }
  close_file(current(), nullptr);
}

void LogWriter::remove_files() {
  for (const Stored& stored : files_) {
    deleted_.add(stored.file);
    if (stored.file->fd) (void)::unlink(stored.path.c_str());
  }
}

void LogWriter::begin_batch(OutputChannel channel) {
  channel_ = channel;
  stamp_ = std::max(stamp_, clock_.wall_now());
  const std::string stamp = format_rfc3339_nano(stamp_);
  std::memcpy(prefix_.data(), stamp.data(), kStampBytes);
  std::memcpy(prefix_.data() + kStampBytes, name_of(channel).data(), kTagAt - kStampBytes);
  std::memcpy(prefix_.data() + kTagAt, "F ", kPrefixBytes - kTagAt);
}

/// At most kPartBytes of text, in two pieces.
void LogWriter::append_record(char tag, std::string_view begin, std::string_view end) {
  Batch& records = batch();
  const std::size_t size = kPrefixBytes + begin.size() + end.size() + 1;
  if (records.size + size > flush_bytes_ && records.size > 0) flush();
  char* to = records.bytes.data() + records.size;
  std::memcpy(to, prefix_.data(), kPrefixBytes);
  to[kTagAt] = tag;
  to += kPrefixBytes;
  if (!begin.empty()) std::memcpy(to, begin.data(), begin.size());
  to += begin.size();
  if (!end.empty()) std::memcpy(to, end.data(), end.size());
  to[end.size()] = '\n';
  records.size += size;
}

/// More of a line whose end has not come: full parts are stored, the rest waits in `partial`.
void LogWriter::append_text(std::string& partial, std::string_view text) {
  while (partial.size() + text.size() > kPartBytes) {
    const std::size_t size = kPartBytes - partial.size();
    append_record('P', partial, text.substr(0, size));
    partial.clear();
    text.remove_prefix(size);
  }
  partial.append(text);
}

void LogWriter::flush() {
  Batch& records = batch();
  const std::string_view text(records.bytes.data(), std::exchange(records.size, 0));
  if (text.empty()) return;
  const bool full = current().committed.load() + text.size() > settings_.rotate_bytes;
  if (!current().fd || (full && current().committed.load() > 0)) {
    if (!rotate() && !current().fd) {
      refusal_ = describe_errno(errno);
      return refused(text);
    }
  }
  if (counters_.degraded.load() && !store_notice()) return refused(text);
  const std::size_t stored = store(text);
  if (stored > 0) {
    const std::size_t end_before = text.substr(0, stored - 1).rfind('\n');
    const std::size_t last = end_before == std::string_view::npos ? 0 : end_before + 1;
    line_open_[static_cast<std::size_t>(channel_)] = text[last + kTagAt] == 'P';
  }
  if (stored < text.size()) refused(text.substr(stored));
}

/// All of it or, when the disk refuses, the whole records that fit; how many bytes that is.
std::size_t LogWriter::store(std::string_view records) {
  LogFile& file = current();
  const std::uint64_t begin = file.committed.load();
  std::size_t done = 0;
  int error_number = 0;
  while (done < records.size() && error_number == 0) {
    const auto write = settings_.pwrite != nullptr ? settings_.pwrite : ::pwrite;
    const ssize_t count = write(file.fd.get(), records.data() + done, records.size() - done,
                                static_cast<off_t>(begin + done));
    if (count > 0) done += static_cast<std::size_t>(count);
    if (count == 0) error_number = ENOSPC;
    if (count < 0 && errno != EINTR) error_number = errno;
  }
  if (error_number == 0) {
    file.committed.store(begin + records.size());
    return records.size();
  }
  const std::size_t last_end = records.substr(0, done).rfind('\n');
  const std::size_t whole = last_end == std::string_view::npos ? 0 : last_end + 1;
  file.committed.store(begin + whole);
  // Only for whoever looks at the file itself: the next record overwrites the torn one.
  [[maybe_unused]] const int cut = ::ftruncate(file.fd.get(), static_cast<off_t>(begin + whole));
  refusal_ = describe_errno(error_number);
  return whole;
}

/// After a refusal: tells the readers in the log itself, which also shows whether there is space
/// again. Lines of which parts are stored end there: what follows may be another one.
bool LogWriter::store_notice() {
  const std::string_view stamp(prefix_.data(), kStampBytes);
  for (const OutputChannel channel : {OutputChannel::Stdout, OutputChannel::Stderr}) {
    bool& open = line_open_[static_cast<std::size_t>(channel)];
    if (!open) continue;
    const std::string end = fmt::format("{}{}F \n", stamp, name_of(channel));
    if (store(end) < end.size()) return false;
    open = false;
  }
  const std::string notice =
      fmt::format("{}{}F sluiced: {} bytes of this log were lost: {}\n", stamp,
                  name_of(OutputChannel::Stderr), lost_since_notice_, refusal_);
  if (store(notice) < notice.size()) return false;
  log(LogLevel::Info, "container log is stored again",
      {{"file", path_}, {"lost_bytes", lost_since_notice_}});
  lost_since_notice_ = 0;
  counters_.degraded.store(false);
  return true;
}

/// Counts and marks as lost what `refusal_` is the reason for.
void LogWriter::refused(std::string_view records) {
  lost_since_notice_ += records.size();
  const std::uint64_t lost = counters_.lost_bytes.load() + records.size();
  counters_.lost_bytes.store(lost);
  current().gap_at.store(current().committed.load());
  current().lost_bytes.store(lost);
  if (counters_.degraded.exchange(true)) return;
  log(LogLevel::Error,
      "container log can't be stored; its lines are dropped until the disk takes them",
      {{"file", path_}, {"reason", refusal_}});
}

/// Begins the next file. False, with errno: it can't be made, and everything stays as it was.
bool LogWriter::rotate() {
  const std::string fresh_path = path_ + ".new";
  std::shared_ptr<LogFile> fresh = open_log_file(fresh_path);
  if (!fresh->fd) return false;
  Stored& last = files_.back();
  if (last.file->fd) {
    stamp_ += nanoseconds(1);  // no two files of one name
    last.path = rotated_path(path_, stamp_);
    (void)::rename(path_.c_str(), last.path.c_str());
  }
  (void)::rename(fresh_path.c_str(), path_.c_str());
  close_file(*last.file, fresh);
  files_.push_back({std::move(fresh), path_});
  while (files_.size() > settings_.files) drop_oldest();
  published_.set(head());  // of what was dropped, only readers hold any from now on
  if (deleted_.enforce(settings_.deleted_bytes)) {
    log(LogLevel::Warning, "log lines lost: a reader was too slow for the rotation",
        {{"file", path_}});
  }
  return true;
}

void LogWriter::drop_oldest() {
  const Stored& oldest = files_.front();
  if (oldest.file->fd) (void)::unlink(oldest.path.c_str());
  deleted_.add(oldest.file);
  files_.pop_front();
}

}  // namespace sluice::backend::local
