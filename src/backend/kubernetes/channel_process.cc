#include "backend/kubernetes/channel_process.h"

#include <algorithm>
#include <array>
#include <vector>

namespace sluice::backend::kubernetes {
namespace {

using channel::StreamChannel;
using Kind = ChannelProcessOptions::Kind;

/// With the channel's byte, what Upstream::send() takes at most.
constexpr std::size_t kMaxPayloadBytes = 32_KiB - 1;
constexpr std::size_t kMaxStatusBytes = 64_KiB;
constexpr auto kEndOfTransmission = std::byte{0x04};
constexpr auto kInterrupt = std::byte{0x03};

std::byte byte_of(StreamChannel channel) { return static_cast<std::byte>(channel); }

/// A runtime tells a process killed by signal n from one that ended with 128 + n no more than a
/// shell does; the former is by far the more frequent.
ProcessExit exit_of_code(int code) {
  constexpr int kSignalBase = 128;
  constexpr int kLastSignal = 64;
  if (code > kSignalBase && code <= kSignalBase + kLastSignal) return Killed{code - kSignalBase};
  return Exited{code};
}

}  // namespace

ChannelProcess::ChannelProcess(net::Executor executor, LoopTasks& tasks,
                               std::unique_ptr<Upstream> upstream, ChannelProcessOptions options)
    : executor_(executor),
      tasks_(tasks),
      upstream_(std::move(upstream)),
      options_(options),
      ended_(executor),
      stdin_open_(options.stdin) {}

ChannelProcess::~ChannelProcess() {
  const bool runs = !exit_ && options_.kind == Kind::Exec;
  tasks_.spawn(
      executor_, "end of a process stream",
      runs ? hang_up(std::move(upstream_), options_) : Upstream::end(std::move(upstream_)));
}

/// The platform has no way to signal a process. One at a terminal gets what a user would type; one
/// that reads its stdin, the end of it.
net::Task<> ChannelProcess::hang_up(std::unique_ptr<Upstream> upstream,
                                    ChannelProcessOptions options) {
  if (options.stdin && options.tty) {
    const std::array keys{byte_of(StreamChannel::Stdin), kInterrupt, kEndOfTransmission};
    const Bytes message(keys);
    (void)co_await upstream->send(message);  // a connection that is lost can't be told
  } else if (options.stdin && options.version == channel::Version::V5) {
    const std::array end{std::byte{channel::kCloseSignal}, byte_of(StreamChannel::Stdin)};
    const Bytes message(end);
    (void)co_await upstream->send(message);
  }
  co_await Upstream::end(std::move(upstream));
}

net::Task<Result<ProcessOutput>> ChannelProcess::read(MutableBytes into) {
  while (output_.empty() && !exit_) {
    const Result<ws::Received> received = co_await upstream_->socket().receive();
    if (!received) {
      if (received.error().code == ErrorCode::Cancelled) co_return fail(received.error());
      take_end(received.error().message);
    } else if (const auto* close = std::get_if<ws::Close>(&*received)) {
      take_end(close->reason);
    } else {
      take(std::get<ws::MessagePiece>(*received));
    }
  }
  const std::size_t size = std::min(into.size(), output_.size());
  std::ranges::copy(output_.first(size), into.begin());
  output_ = output_.subspan(size);
  co_return ProcessOutput{output_channel_, size};
}

void ChannelProcess::take(const ws::MessagePiece& message) {
  const auto piece = demultiplexer_.feed(message.payload, message.ends_message);
  if (!piece) return;
  switch (static_cast<StreamChannel>(piece->channel)) {
    case StreamChannel::Stdout:
    case StreamChannel::Stderr:
      output_channel_ = piece->channel == static_cast<std::uint8_t>(StreamChannel::Stdout)
                            ? OutputChannel::Stdout
                            : OutputChannel::Stderr;
      output_ = piece->payload;
      break;
    case StreamChannel::Error:
      status_ += as_text(piece->payload).substr(0, kMaxStatusBytes - status_.size());
      break;
    default: break;  // a client's channels, and what later versions may add
  }
}

/// The connection has ended; `how` is what is known of that when no status came.
void ChannelProcess::take_end(std::string_view how) {
  const bool pod_ending = upstream_->is_pod_ending();
  if (upstream_->is_pod_gone()) {
    exit_ = ProcessDeleted{};
  } else if (!status_.empty()) {
    exit_ = exit_of_status();
    // What a pod's deletion did to the process is no result of its own.
    if (pod_ending && !std::holds_alternative<Exited>(*exit_)) exit_ = ProcessDeleted{};
  } else if (pod_ending) {
    exit_ = ProcessDeleted{};
  } else {
    std::string message = "the cluster ended the stream";
    if (!how.empty()) message.append(": ").append(how);
    exit_ = ProcessFailed{std::move(message)};
  }
  ended_.notify();
}

ProcessExit ChannelProcess::exit_of_status() const {
  const auto status = channel::parse_status(status_);
  if (!status) return ProcessFailed{"the cluster said nothing of the command's end"};
  if (!status->exit_code) return ProcessFailed{status->message};
  if (options_.kind == Kind::Attach) return Detached{};
  return exit_of_code(*status->exit_code);
}

net::Task<Result<>> ChannelProcess::send_on(StreamChannel channel, Bytes payload) {
  std::vector<std::byte> message;
  while (!payload.empty()) {
    const Bytes part = payload.first(std::min(payload.size(), kMaxPayloadBytes));
    payload = payload.subspan(part.size());
    message.assign(1, byte_of(channel));
    message.insert(message.end(), part.begin(), part.end());
    const Bytes bytes(message);
    CO_TRY_VOID(co_await upstream_->send(bytes));
  }
  co_return Result<>{};
}

net::Task<Result<>> ChannelProcess::write(Bytes bytes) {
  if (!options_.stdin) co_return fail(ErrorCode::Conflict, "the process has no stdin");
  if (exit_ || !stdin_open_) co_return Result<>{};  // nobody reads it any more
  const Result<> sent = co_await send_on(StreamChannel::Stdin, bytes);
  // A connection that is lost shows that to its reader, with what the process said before.
  if (!sent && sent.error().code == ErrorCode::Cancelled) co_return sent;
  co_return Result<>{};
}

net::Task<Result<>> ChannelProcess::close_stdin() {
  if (!std::exchange(stdin_open_, false) || exit_) co_return Result<>{};
  if (options_.tty) {
    const std::array key{kEndOfTransmission};
    const Bytes payload(key);
    co_return co_await send_on(StreamChannel::Stdin, payload);
  }
  if (options_.version == channel::Version::V4) co_return Result<>{};
  const std::array end{std::byte{channel::kCloseSignal}, byte_of(StreamChannel::Stdin)};
  const Bytes message(end);
  co_return co_await upstream_->send(message);
}

void ChannelProcess::resize(TerminalSize size) {
  if (!options_.tty || exit_) return;
  size_to_send_ = size;
  if (sending_size_) return;
  sending_size_ = true;
  upstream_->tasks.spawn("terminal size", send_size());
}

net::Task<> ChannelProcess::send_size() {
  while (size_to_send_) {
    const TerminalSize size = *std::exchange(size_to_send_, std::nullopt);
    const std::string text = channel::format_terminal_size({size.width, size.height});
    const Bytes payload = as_bytes(text);
    const Result<> sent = co_await send_on(StreamChannel::Resize, payload);
    if (!sent) break;
  }
  sending_size_ = false;
}

net::Task<Result<ProcessExit>> ChannelProcess::wait() {
  while (!exit_) CO_TRY_VOID(co_await ended_.wait());
  co_return *exit_;
}

}  // namespace sluice::backend::kubernetes
