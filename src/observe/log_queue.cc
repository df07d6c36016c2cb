#include "observe/log_queue.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

/// False: the descriptor is broken.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {  // somebody else made our stderr non-blocking
      pollfd writable{fd, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

LogQueue::LogQueue(int fd) : fd_(fd), thread_([this] { run(); }) {}

LogQueue::~LogQueue() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void LogQueue::push(std::string line) {
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

void LogQueue::run() {
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

void LogQueue::write(const std::deque<std::string>& lines) {
  constexpr std::size_t kBatchBytes = 64 << 10;
  std::string batch;
  std::uint64_t in_batch = 0;
  for (const std::string& line : lines) {
    batch += line;
    ++in_batch;
    if (batch.size() < kBatchBytes && &line != &lines.back()) continue;
    if (!write_all(fd_, batch)) dropped_.fetch_add(in_batch, std::memory_order_relaxed);
    batch.clear();
    in_batch = 0;
  }
}

}  // namespace sluice
