#include "cli/terminal/output_thread.h"

#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "net/event_loop.h"

namespace sluice::cli {
namespace {

/// Only to end a write() or poll() that blocks.
constexpr int kWakeSignal = SIGURG;

void let_signal_interrupt() {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  ::sigaction(kWakeSignal, &action, nullptr);  // without SA_RESTART
}

}  // namespace

OutputThread::OutputThread(net::Executor executor, int descriptor)
    : executor_(executor),
      descriptor_(descriptor),
      progress_(std::make_shared<net::Event>(executor)) {
  let_signal_interrupt();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

OutputThread::~OutputThread() {
  thread_.request_stop();
  {
    // Whatever it is writing is given up; between its look at `error_` and its write() the signal
    // may go by, so it is sent until the thread has seen the stop.
    std::unique_lock lock(mutex_);
    waiting_.clear();  // or it would be written next, to whoever takes no more
    while (writing_ > 0) {
      ::pthread_kill(thread_.native_handle(), kWakeSignal);
      changed_.wait_for(lock, milliseconds(10));
    }
  }
}

void OutputThread::append(Bytes bytes) {
  const std::lock_guard lock(mutex_);
  if (error_ != 0) return;
  if (waiting_.empty() && writing_ == 0) bytes = bytes.subspan(write_at_once(bytes));
  if (bytes.empty()) return;
  const bool was_empty = waiting_.empty();
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  if (was_empty) changed_.notify_all();
}

/// How much of it the kernel takes without blocking. It does for pipes from Linux 6.4 on, for
/// /dev/null, and for files of some kinds; a thread for these would cost a switch a message.
std::size_t OutputThread::write_at_once(Bytes bytes) {
  if (!may_write_at_once_) return 0;
  const iovec whole{const_cast<std::byte*>(bytes.data()), bytes.size()};
  constexpr off_t kFilePosition = -1;
  const ssize_t count = ::pwritev2(descriptor_, &whole, 1, kFilePosition, RWF_NOWAIT);
  if (count >= 0) return static_cast<std::size_t>(count);
  const bool takes_none_now = errno == EAGAIN || errno == EINTR;
  if (!takes_none_now) may_write_at_once_ = false;  // the thread learns whether it takes any
  return 0;
}

net::Task<Result<>> OutputThread::wait() { return wait_until_below(kMaxWaitingBytes); }

net::Task<Result<>> OutputThread::flush() { return wait_until_below(1); }

net::Task<Result<>> OutputThread::wait_until_below(std::size_t bytes) {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (error_ != 0) {
        co_return std::unexpected(
            system_error(ErrorCode::Internal, "cannot write the output", "write", error_));
      }
      if (waiting_.size() + writing_ < bytes) co_return Result<>{};
      is_awaited_ = true;
    }
    CO_TRY_VOID(co_await progress_->wait());
  }
}

bool OutputThread::has_reader() const {
  const std::lock_guard lock(mutex_);
  return error_ != EPIPE;
}

void OutputThread::run(const std::stop_token& stop) {
  std::vector<std::byte> bytes;
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    bytes.clear();
    std::swap(bytes, waiting_);
    writing_ = bytes.size();
    lock.unlock();
    write_all(bytes, stop);
    lock.lock();
    writing_ = 0;
    if (error_ != 0) waiting_.clear();
    changed_.notify_all();
    if (!std::exchange(is_awaited_, false)) continue;
    net::post(executor_, [progress = progress_] { progress->notify(); });
  }
}

void OutputThread::write_all(const std::vector<std::byte>& bytes, const std::stop_token& stop) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
      continue;
    }
    const int problem = errno;
    if (problem == EAGAIN) {  // who shares the descriptor made it so
      pollfd writable{descriptor_, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    }
    if ((problem == EAGAIN || problem == EINTR) && !stop.stop_requested()) continue;
    const std::lock_guard lock(mutex_);
    error_ = problem;
    return;
  }
}

}  // namespace sluice::cli
