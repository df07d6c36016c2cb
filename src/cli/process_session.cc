#include "cli/process_session.h"

#include <unistd.h>

#include <array>
#include <csignal>

#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "net/signals.h"

namespace sluice::cli {

using channel::StreamChannel;

ProcessSession::ProcessSession(Context& context, ServerSocket& socket,
                               const ProcessOptions& options, channel::Version version,
                               const DetachKeys& detach_keys)
    : context_(context),
      socket_(socket),
      options_(options),
      version_(version),
      detach_keys_(detach_keys),
      stdout_(context.executor, STDOUT_FILENO),
      stderr_(context.executor, STDERR_FILENO),
      tasks_(context.executor) {}

net::Task<Result<int>> ProcessSession::run() {
  if (options_.stdin) {
    stdin_ = std::make_unique<InputThread>(context_.executor, STDIN_FILENO);
    tasks_.spawn("stdin", send_input());
  }
  if (options_.tty && is_terminal(STDIN_FILENO)) tasks_.spawn("sizes", send_sizes());
  tasks_.spawn("output", receive());
  co_await tasks_.finish();
  if (!result_) co_return fail(cancelled());
  if (!stdout_.has_reader()) co_return kSignalBase + SIGPIPE;
  CO_TRY_VOID(co_await stdout_.flush());
  CO_TRY_VOID(co_await stderr_.flush());
  co_return *result_;
}

void ProcessSession::end(Result<int> result) {
  if (!result_) result_ = std::move(result);
  tasks_.cancel();
}

net::Task<> ProcessSession::receive() {
  while (true) {
    const Result<ws::Received> received = co_await socket_.receive();
    if (!received) co_return;
    if (const auto* close = std::get_if<ws::Close>(&*received)) {
      end(end_of(*close));
      co_return;
    }
    const Result<> taken = co_await take(std::get<ws::MessagePiece>(*received));
    if (taken) continue;
    if (taken.error().code != ErrorCode::Cancelled) end(fail(taken.error()));
    co_return;
  }
}

net::Task<Result<>> ProcessSession::take(const ws::MessagePiece& piece) {
  const auto fed = demultiplexer_.feed(piece.payload, piece.ends_message);
  if (!fed) co_return Result<>{};
  switch (static_cast<StreamChannel>(fed->channel)) {
    case StreamChannel::Stdout: stdout_.append(fed->payload); co_return co_await stdout_.wait();
    case StreamChannel::Stderr: stderr_.append(fed->payload); co_return co_await stderr_.wait();
    case StreamChannel::Error: status_ += as_text(fed->payload); break;
    default: break;
  }
  co_return Result<>{};
}

Result<int> ProcessSession::end_of(const ws::Close& close) const {
  if (!status_.empty()) {
    TRY(const channel::CommandStatus status, channel::parse_status(status_));
    if (status.exit_code) return *status.exit_code;
    return fail(ErrorCode::Internal, status.message);
  }
  switch (close.code) {
    case ws::CloseCode::Normal: return kSuccess;  // of an attach
    case ws::CloseCode::PolicyViolation: return fail(ErrorCode::Unauthenticated, close.reason);
    case ws::CloseCode::Abnormal:
      return fail(ErrorCode::Unavailable, "the connection was lost: " + close.reason);
    default: return fail(ErrorCode::Internal, close.reason);
  }
}

net::Task<Result<>> ProcessSession::send_on(StreamChannel channel, Bytes payload) {
  std::string message(1, static_cast<char>(channel));
  message += as_text(payload);
  const Bytes whole = as_bytes(message);
  co_return co_await socket_.send(whole);
}

net::Task<> ProcessSession::send_input() {
  while (true) {
    const Result<std::vector<std::byte>> bytes = co_await stdin_->read();
    if (!bytes) co_return;
    if (bytes->empty()) break;
    const DetachKeys::Typed typed = detach_keys_.feed(*bytes);
    if (!typed.bytes.empty()) {
      const Bytes payload = as_bytes(typed.bytes);
      const Result<> sent = co_await send_on(StreamChannel::Stdin, payload);
      if (!sent) co_return;  // whoever receives learns why
    }
    if (typed.detach) {
      end(kSuccess);
      co_return;
    }
  }
  if (version_ != channel::Version::V5) co_return;  // has no way to say it
  const std::array message{static_cast<std::byte>(channel::kCloseSignal),
                           static_cast<std::byte>(StreamChannel::Stdin)};
  const Bytes whole(message);
  (void)co_await socket_.send(whole);  // whoever receives learns why not
}

net::Task<> ProcessSession::send_sizes() {
  net::SignalReader changes(context_.executor, {SIGWINCH});
  while (true) {
    const std::string size = channel::format_terminal_size(terminal_size(STDIN_FILENO));
    const Bytes payload = as_bytes(size);
    const Result<> sent = co_await send_on(StreamChannel::Resize, payload);
    if (!sent) co_return;
    const Result<int> changed = co_await changes.next();
    if (!changed) co_return;
  }
}

}  // namespace sluice::cli
