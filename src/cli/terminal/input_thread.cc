#include "cli/terminal/input_thread.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

#include "net/event_loop.h"

namespace sluice::cli {

InputThread::InputThread(net::Executor executor, int descriptor)
    : executor_(executor),
      descriptor_(descriptor),
      wake_(::eventfd(0, EFD_CLOEXEC)),
      progress_(std::make_shared<net::Event>(executor)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

InputThread::~InputThread() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  // It can only fail when it is full, and then the thread is woken already.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

net::Task<Result<std::vector<std::byte>>> InputThread::read() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (!block_.empty() || ended_) {
        std::vector<std::byte> bytes;
        std::swap(bytes, block_);
        taken_.notify_all();
        co_return bytes;
      }
    }
    CO_TRY_VOID(co_await progress_->wait());
  }
}

void InputThread::run(const std::stop_token& stop) {
  std::vector<std::byte> bytes;
  while (wait_readable(stop)) {
    bytes.resize(kBlockBytes);
    const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) break;
    bytes.resize(static_cast<std::size_t>(count));
    std::unique_lock lock(mutex_);
    if (!taken_.wait(lock, stop, [this] { return block_.empty(); })) return;
    std::swap(block_, bytes);
    net::post(executor_, [progress = progress_] { progress->notify(); });
  }
  std::unique_lock lock(mutex_);
  if (!taken_.wait(lock, stop, [this] { return block_.empty(); })) return;
  ended_ = true;
  net::post(executor_, [progress = progress_] { progress->notify(); });
}

/// A terminal or a pipe can be waited for; a file is always ready. False: stopped.
bool InputThread::wait_readable(const std::stop_token& stop) {
  std::array<pollfd, 2> waits{pollfd{descriptor_, POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
  }
  return !stop.stop_requested();
}

}  // namespace sluice::cli
