#include "cli/process/process_session.h"

#include <unistd.h>

#include <csignal>

#include "cli/terminal/exit_code.h"
#include "cli/terminal/terminal.h"
#include "net/signals.h"

namespace sluice::cli {

using channel::StreamChannel;

ProcessSession::ProcessSession(Context& context, ProcessChannels& channels,
                               const ProcessOptions& options, const DetachKeys& detach_keys)
    : context_(context),
      channels_(channels),
      options_(options),
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
    const Result<ProcessChannels::Received> received = co_await channels_.receive();
    if (!received) co_return;
    if (const auto* ended = std::get_if<ProcessChannels::End>(&*received)) {
      end(ended->exit_code);
      co_return;
    }
    const Result<> taken = co_await take(std::get<ProcessChannels::Output>(*received));
    if (taken) continue;
    if (taken.error().code != ErrorCode::Cancelled) end(fail(taken.error()));
    co_return;
  }
}

net::Task<Result<>> ProcessSession::take(const ProcessChannels::Output& output) {
  OutputThread& to = output.channel == StreamChannel::Stdout ? stdout_ : stderr_;
  to.append(output.bytes);
  return to.wait();
}

net::Task<> ProcessSession::send_input() {
  while (true) {
    const Result<std::vector<std::byte>> bytes = co_await stdin_->read();
    if (!bytes) co_return;
    if (bytes->empty()) break;
    const DetachKeys::Typed typed = detach_keys_.feed(*bytes);
    if (!typed.bytes.empty()) {
      const Bytes payload = as_bytes(typed.bytes);
      const Result<> sent = co_await channels_.send(StreamChannel::Stdin, payload);
      if (!sent) co_return;  // whoever receives learns why
    }
    if (typed.detach) {
      end(kSuccess);
      co_return;
    }
  }
  (void)co_await channels_.end_stdin();  // whoever receives learns why not
}

net::Task<> ProcessSession::send_sizes() {
  net::SignalReader changes(context_.executor, {SIGWINCH});
  while (true) {
    const std::string size = channel::format_terminal_size(terminal_size(STDIN_FILENO));
    const Bytes payload = as_bytes(size);
    const Result<> sent = co_await channels_.send(StreamChannel::Resize, payload);
    if (!sent) co_return;
    const Result<int> changed = co_await changes.next();
    if (!changed) co_return;
  }
}

}  // namespace sluice::cli
