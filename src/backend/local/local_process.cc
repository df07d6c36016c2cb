#include "backend/local/local_process.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "backend/local/terminal.h"
#include "net/event.h"
#include "net/task_group.h"

namespace sluice::backend::local {
namespace {

net::Task<> notify_when_readable(net::Descriptor& descriptor, net::Event& event) {
  const Result<> readable = co_await descriptor.readable();
  if (readable) event.notify();
}

net::Task<> notify_at(net::Timers& timers, MonotonicTime deadline, net::Event& event) {
  const Result<> slept = co_await timers.sleep_until(deadline);
  if (slept) event.notify();
}

/// How many bytes could be read at this moment.
std::size_t readable_bytes(int fd) {
  int count = 0;
  return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace

Result<std::unique_ptr<LocalProcess>> LocalProcess::make(net::Executor executor,
                                                         net::Timers& timers,
                                                         ProcessControl control,
                                                         ProcessStreams streams,
                                                         DeletedFlag deleted) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) {
    return fail(
        system_error(ErrorCode::Unavailable, "the server has no descriptors left", "epoll", errno));
  }
  return std::unique_ptr<LocalProcess>(new LocalProcess(executor, timers, std::move(control),
                                                        std::move(streams), std::move(deleted),
                                                        std::move(epoll)));
}

LocalProcess::LocalProcess(net::Executor executor, net::Timers& timers, ProcessControl control,
                           ProcessStreams streams, DeletedFlag deleted, UniqueFd epoll)
    : executor_(executor),
      timers_(timers),
      control_(std::move(control)),
      outputs_{Output{OutputChannel::Stdout, std::move(streams.stdout), {}},
               Output{OutputChannel::Stderr, std::move(streams.stderr), {}}},
      ready_(executor, std::move(epoll)),
      terminal_(std::move(streams.terminal)),
      deleted_(std::move(deleted)),
      input_end_(streams.input_end),
      had_input_(static_cast<bool>(streams.input)) {
  if (streams.input) input_.emplace(executor, std::move(streams.input));
  for (Output& output : outputs_) {
    if (!output.fd) continue;
    ::fcntl(output.fd.get(), F_SETFL, ::fcntl(output.fd.get(), F_GETFL) | O_NONBLOCK);
    watch(output.fd.get());
  }
  watch(control_.fd());
}

LocalProcess::~LocalProcess() {
  if (!take_outputs_ || control_.end()) return;
  std::vector<UniqueFd> left;
  for (Output& output : outputs_) {
    if (output.fd) left.push_back(std::move(output.fd));
  }
  take_outputs_(std::move(left));
}

net::Task<Result<ProcessOutput>> LocalProcess::read(MutableBytes into) {
  while (true) {
    notice_end();
    if (const std::optional<ProcessOutput> output = try_read(into)) co_return *output;
    CO_TRY_VOID(co_await output_readable());
  }
}

net::Task<Result<>> LocalProcess::write(Bytes bytes) {
  if (!had_input_) co_return fail(ErrorCode::Conflict, "the process has no stdin");
  if (input_ended_) co_return Result<>{};
  if (!bytes.empty()) last_input_ = as_text(bytes).back();
  co_return co_await write_input(bytes);
}

net::Task<Result<>> LocalProcess::close_stdin() {
  if (std::exchange(input_ended_, true) || !input_) co_return Result<>{};
  if (input_end_ == InputEnd::EndCharacter) {
    const std::string text = end_of_input(input_->fd(), last_input_);
    const Bytes bytes = as_bytes(text);
    co_return co_await write_input(bytes);
  }
  input_.reset();
  co_return Result<>{};
}

void LocalProcess::resize(TerminalSize size) {
  if (terminal_) set_terminal_size(terminal_.get(), size);
}

net::Task<Result<ProcessExit>> LocalProcess::wait() {
  CO_TRY(const ShimMessage end, co_await control_.wait());
  switch (end.event) {
    case ShimEvent::Exited: co_return ProcessExit(Exited{end.value});
    case ShimEvent::Killed:
      if (deleted_->load()) co_return ProcessExit(ProcessDeleted{});
      co_return ProcessExit(Killed{end.value});
    case ShimEvent::Deleted: co_return ProcessExit(ProcessDeleted{});
    case ShimEvent::Started:
    case ShimEvent::Failed: break;
  }
  co_return ProcessExit(ProcessFailed{"its end is not known"});
}

void LocalProcess::watch(int fd) {
  epoll_event event{.events = EPOLLIN, .data = {}};
  (void)::epoll_ctl(ready_.fd(), EPOLL_CTL_ADD, fd, &event);
}

void LocalProcess::unwatch(int fd) { (void)::epoll_ctl(ready_.fd(), EPOLL_CTL_DEL, fd, nullptr); }

void LocalProcess::notice_end() {
  if (overdue_at_ || !control_.end()) return;
  overdue_at_ = timers_.now() + kLinger;
  unwatch(control_.fd());
}

std::optional<ProcessOutput> LocalProcess::try_read(MutableBytes into) {
  const bool overdue = overdue_at_ && timers_.now() >= *overdue_at_;
  for (Output& output : outputs_) {
    if (!output.fd) continue;
    MutableBytes part = into;
    if (overdue) {
      // What is in the pipe now is delivered, however slow the client; what comes later is not.
      if (!output.left) output.left = readable_bytes(output.fd.get());
      part = into.first(std::min(into.size(), *output.left));
      if (part.empty()) {
        end_output(output);
        continue;
      }
    }
    const ssize_t count = read_output(output.fd.get(), part);
    if (count == 0) end_output(output);
    if (count <= 0) continue;
    if (output.left) *output.left -= static_cast<std::size_t>(count);
    const ProcessOutput result{output.channel, static_cast<std::size_t>(count)};
    std::swap(outputs_[0], outputs_[1]);  // so that a busy channel does not starve the other
    return result;
  }
  if (!outputs_[0].fd && !outputs_[1].fd) return ProcessOutput{OutputChannel::Stdout, 0};
  return std::nullopt;
}

void LocalProcess::end_output(Output& output) {
  unwatch(output.fd.get());  // closing is not enough: a duplicate may keep the terminal open
  output.fd.reset();
}

net::Task<Result<>> LocalProcess::output_readable() {
  if (!overdue_at_) {
    Result<> readable = co_await ready_.readable();
    co_return readable;
  }
  net::Event event(executor_);
  net::TaskGroup waits(executor_);
  waits.spawn("output", notify_when_readable(ready_, event));
  waits.spawn("linger", notify_at(timers_, *overdue_at_, event));
  Result<> result = co_await event.wait();
  waits.cancel();
  co_await waits.join();
  co_return result;
}

net::Task<Result<>> LocalProcess::write_input(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(input_->fd(), bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      CO_TRY_VOID(co_await input_->writable());
    } else if (errno != EINTR) {
      input_ended_ = true;  // it closed its stdin, or ended: the rest goes nowhere
      co_return Result<>{};
    }
  }
  co_return Result<>{};
}

}  // namespace sluice::backend::local
