// LogWriter: stores what one run of a container writes, in the CRI format of Kubernetes
// ("<RFC 3339 nano> stdout F <text>"), in files that rotate. One large write a batch. Not for
// readers: they walk log_chain.h. A disk that refuses never stops the container: what can't be
// stored is dropped, counted, and marked in the chain and in the log itself.
#pragma once

#include <sys/types.h>

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "backend/local/log_chain.h"
#include "backend/streams.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace sluice::backend::local {

struct LogSettings {
  std::uint64_t rotate_bytes = 10_MiB;  // no file is larger, but for a single record
  std::size_t files = 5;                // of one run, the current one included
  std::uint64_t deleted_bytes = 1_GiB;  // kept alive, at most, for readers of deleted files
  ssize_t (*pwrite)(int, const void*, std::size_t,
                    off_t) = nullptr;  // null: the system's; for tests
};

/// What the runs of one container count together. The writer's thread writes, any reads.
struct LogCounters {
  std::atomic<std::uint64_t> lost_bytes{0};  // refused by the disk
  std::atomic<bool> degraded{false};         // the last attempt to store was refused
};

/// Where readers of a run begin. One thread sets it, any asks.
class LogHead {
 public:
  explicit LogHead(std::shared_ptr<LogFile> file = nullptr) : file_(std::move(file)) {}

  std::shared_ptr<LogFile> file() const {
    const std::scoped_lock lock(mutex_);
    return file_;
  }
  void set(std::shared_ptr<LogFile> file) {  // which then frees the one before: after the lock
    const std::scoped_lock lock(mutex_);
    file_.swap(file);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<LogFile> file_;  // owners: this, the writer, and readers
};

class LogWriter {
 public:
  /// Longer lines are stored in parts (tag P), as containerd does.
  static constexpr std::size_t kPartBytes = 16_KiB;

  /// Begins `<directory>/<restart>.log`. A file that can't be made counts as a disk that refuses.
  /// Rotation keeps `published` at its head(). References outlive it.
  LogWriter(const LogSettings& settings, std::string directory, int restart, const Clock& clock,
            LogCounters& counters, DeletedLogFiles& deleted, LogHead& published);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Stores the whole lines, and keeps the beginning of one until the rest comes (per channel).
  void write(OutputChannel channel, Bytes bytes);
  /// Stores text without '\n' as a last part, which tells readers to add none; ends the chain.
  void finish();
  /// Unlinks all its files; readers of them go on.
  void remove_files();

  /// The oldest file that is kept.
  const std::shared_ptr<LogFile>& head() const { return files_.front().file; }

 private:
  struct Stored {
    std::shared_ptr<LogFile> file;  // owners: this, and readers
    std::string path;
  };

  void begin_batch(OutputChannel channel);
  void append_record(char tag, std::string_view begin, std::string_view end);
  void append_text(std::string& partial, std::string_view text);
  void flush();
  std::size_t store(std::string_view records);
  bool store_notice();
  void refused(std::string_view records);
  bool rotate();
  void drop_oldest();
  LogFile& current() { return *files_.back().file; }

  const LogSettings& settings_;
  const std::string path_;
  const Clock& clock_;
  LogCounters& counters_;
  DeletedLogFiles& deleted_;
  LogHead& published_;
  std::size_t flush_bytes_;
  std::deque<Stored> files_;  // never empty; oldest first
  std::array<std::string, 2> partial_;
  std::array<bool, 2> line_open_{};  // per channel: the last record that was stored is a part
  WallTime stamp_{};  // of the last record; never goes back, so that readers can search by time
  std::array<char, 40> prefix_{};  // of the records of the batch, which is of one channel
  OutputChannel channel_ = OutputChannel::Stdout;
  std::uint64_t lost_since_notice_ = 0;
  std::string refusal_;
};

}  // namespace sluice::backend::local
