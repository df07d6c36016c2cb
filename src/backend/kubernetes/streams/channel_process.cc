#include "backend/kubernetes/streams/channel_process.h"

#include <array>

#include "base/take_bytes.h"

namespace sluice::backend::kubernetes {
namespace {

using channel::StreamChannel;
using Kind = ChannelProcessOptions::Kind;

constexpr std::size_t kMaxStatusBytes = 64_KiB;
constexpr auto kEndOfTransmission = std::byte{0x04};
constexpr auto kInterrupt = std::byte{0x03};

constexpr auto kStdin = static_cast<std::byte>(StreamChannel::Stdin);
constexpr std::array kStdinHeader{kStdin};
constexpr std::array kEndOfStdin{std::byte{channel::kCloseSignal}, kStdin};

/// A runtime tells a process killed by signal n from one that ended with 128 + n no more than a
/// shell does; the former is by far the more frequent.
ProcessExit exit_of_code(int code) {
  constexpr int kSignalBase = 128;
  constexpr int kLastSignal = 64;
  if (code > kSignalBase && code <= kSignalBase + kLastSignal) return Killed{code - kSignalBase};
  return Exited{code};
}

/// What a runtime says of a command that it can't start, without the names of the parts that the
/// message came through: a close reason has room for 123 bytes.
std::string cause_of(const std::string& message) {
  constexpr std::string_view kLastPart = "unable to start container process: ";  // runc
  constexpr std::string_view kGrpcCode = ": unknown";                            // containerd
  std::string_view cause = message;
  if (const std::size_t at = cause.rfind(kLastPart); at != std::string_view::npos) {
    cause.remove_prefix(at + kLastPart.size());
  }
  if (cause.ends_with(kGrpcCode)) cause.remove_suffix(kGrpcCode.size());
  return std::string(cause);
}

/// A connection that is lost shows that to its reader, with what the process said before.
Result<> unless_lost(Result<> sent) {
  if (!sent && sent.error().code != ErrorCode::Cancelled) return {};
  return sent;
}

}  // namespace

ChannelProcess::ChannelProcess(net::Executor executor, LoopTasks& tasks,
                               std::unique_ptr<Upstream> upstream, ChannelProcessOptions options,
                               std::unique_ptr<StdinHold> hold)
    : executor_(executor),
      tasks_(tasks),
      upstream_(std::move(upstream)),
      options_(options),
      hold_(std::move(hold)),
      ended_(executor),
      stdin_open_(options.stdin) {}

ChannelProcess::~ChannelProcess() {
  const bool runs = !exit_ && options_.kind == Kind::Exec;
  if (runs && options_.on_disconnect == OnDisconnect::Terminate) hang_up();
  tasks_.spawn(executor_, "end of a process stream", Upstream::end(std::move(upstream_)));
}

/// The platform has no way to signal a process. One at a terminal gets what a user would type; one
/// that reads its stdin, the end of it.
void ChannelProcess::hang_up() {
  if (options_.stdin && options_.tty) {
    const std::array keys{kStdin, kInterrupt, kEndOfTransmission};
    upstream_->append(keys);
  } else if (stdin_open_ && options_.version == channel::Version::V5) {
    upstream_->append(kEndOfStdin);
  }
}

net::Task<Result<ProcessOutput>> ChannelProcess::read(MutableBytes into) {
  while (output_.empty() && !exit_) {
    CO_TRY(const ws::Received received, co_await upstream_->receive());
    if (const auto* close = std::get_if<ws::Close>(&received)) {
      exit_ = exit_of_end(*close);
      ended_.notify();
    } else {
      take(std::get<ws::MessagePiece>(received));
    }
  }
  const std::size_t size = take_bytes(output_, into);
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
    case StreamChannel::Error: take_status(as_text(piece->payload)); break;
    default: break;  // a client's channels, and what later versions may add
  }
}

void ChannelProcess::take_status(std::string_view text) {
  if (text.empty()) return;
  if (status_.empty()) upstream_->end_when_silent(kStatusPatience);
  status_ += text.substr(0, kMaxStatusBytes - status_.size());
}

/// What the end was, once the connection has: a server's Close says nothing of the command.
ProcessExit ChannelProcess::exit_of_end(const ws::Close& close) const {
  if (!status_.empty()) {
    ProcessExit exit = exit_of_status();
    if (std::holds_alternative<Exited>(exit) || !upstream_->is_pod_ending()) return exit;
  }
  // What a pod's deletion did to the process is no result of its own.
  if (upstream_->is_pod_ending()) return ProcessDeleted{};
  std::string message = "the cluster ended the stream";
  if (!close.reason.empty()) message += ": " + close.reason;
  return ProcessFailed{std::move(message)};
}

ProcessExit ChannelProcess::exit_of_status() const {
  const auto status = channel::parse_status(status_);
  if (!status) return ProcessFailed{"the cluster said nothing of the command's end"};
  if (!status->exit_code) return ProcessFailed{cause_of(status->message)};
  if (options_.kind == Kind::Attach) return Detached{};
  return exit_of_code(*status->exit_code);
}

net::Task<Result<>> ChannelProcess::write(Bytes bytes) {
  if (!options_.stdin) co_return fail(ErrorCode::Conflict, "the process has no stdin");
  if (exit_ || !stdin_open_) co_return Result<>{};  // nobody reads it any more
  Result<> sent = co_await send_input(bytes);
  co_return unless_lost(std::move(sent));
}

net::Task<Result<>> ChannelProcess::send_input(Bytes bytes) {
  return upstream_->send_behind([](std::size_t) { return Bytes(kStdinHeader); }, bytes);
}

net::Task<Result<>> ChannelProcess::close_stdin() {
  if (!std::exchange(stdin_open_, false) || exit_) co_return Result<>{};
  if (options_.tty) {
    // To the main process the key would be the end; an attach that ends doesn't end its target.
    if (options_.kind == Kind::Attach) co_return Result<>{};
    const std::array key{kEndOfTransmission};
    const Bytes payload(key);
    Result<> sent = co_await send_input(payload);
    co_return unless_lost(std::move(sent));
  }
  if (options_.version == channel::Version::V4) co_return Result<>{};
  const Bytes end(kEndOfStdin);
  Result<> sent = co_await upstream_->send(end);
  co_return unless_lost(std::move(sent));
}

void ChannelProcess::resize(TerminalSize size) {
  if (!options_.tty || exit_) return;
  std::string message = channel::format_terminal_size({size.width, size.height});
  message.insert(message.begin(), static_cast<char>(StreamChannel::Resize));
  upstream_->send_latest(std::move(message));
}

net::Task<Result<ProcessExit>> ChannelProcess::wait() {
  while (!exit_) CO_TRY_VOID(co_await ended_.wait());
  co_return *exit_;
}

}  // namespace sluice::backend::kubernetes
