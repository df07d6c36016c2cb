#include "observe/log_queue.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/file.h"

namespace sluice {

class LogQueue::Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {}

  void push(std::string line);
  /// The thread's: until end().
  void run();
  void end();
  /// Nobody waits for the thread any more: it writes no further.
  void abandon() { is_abandoned_.store(true, std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void write(const std::deque<std::string>& lines);

  const int fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  bool ended_ = false;
  std::atomic<bool> is_abandoned_ = false;
  std::atomic<std::uint64_t> dropped_ = 0;
};

LogQueue::LogQueue(int fd, nanoseconds patience)
    : patience_(patience),
      writer_(std::make_shared<Writer>(fd)),
      thread_([writer = writer_] { writer->run(); }) {}

LogQueue::~LogQueue() {
  writer_->end();
  if (!thread_.join_within(patience_)) writer_->abandon();
}

void LogQueue::push(std::string line) { writer_->push(std::move(line)); }
std::uint64_t LogQueue::dropped() const { return writer_->dropped(); }

void LogQueue::Writer::push(std::string line) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = lines_.empty();
    bytes_ += line.size();
    lines_.push_back(std::move(line));
    for (; bytes_ > kMaxBytes; lines_.pop_front()) {
      bytes_ -= lines_.front().size();
      dropped_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (was_empty) changed_.notify_one();
}

void LogQueue::Writer::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
}

void LogQueue::Writer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !lines_.empty(); });
    if (lines_.empty()) return;
    const std::deque<std::string> lines = std::exchange(lines_, {});
    bytes_ = 0;
    lock.unlock();
    write(lines);
    lock.lock();
  }
}

void LogQueue::Writer::write(const std::deque<std::string>& lines) {
  constexpr std::size_t kBatchBytes = 64 << 10;
  std::string batch;
  std::uint64_t in_batch = 0;
  for (const std::string& line : lines) {
    batch += line;
    ++in_batch;
    if (batch.size() < kBatchBytes && &line != &lines.back()) continue;
    if (is_abandoned_.load(std::memory_order_relaxed)) return;
    if (write_all(fd_, batch) != 0) dropped_.fetch_add(in_batch, std::memory_order_relaxed);
    batch.clear();
    in_batch = 0;
  }
}

}  // namespace sluice
