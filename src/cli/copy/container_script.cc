#include "cli/copy/container_script.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/terminal/blocking_io.h"

namespace sluice::cli {
namespace {

constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kMaxLineBytes = 4_KiB;
constexpr std::size_t kMaxWords = 16;  // no script of ours has so many

}  // namespace

net::Task<Result<ScriptReport>> ContainerScript::run(Context& context, Command command, Talk talk) {
  CO_TRY(Pipes pipes, make_pipes());
  const ProcessOptions options{
      std::move(command.target), true, false, std::move(command.words), {}};
  Result<std::unique_ptr<ProcessChannels>> opened =
      co_await ProcessChannels::open(context, command.workload, options);
  if (!opened && opened.error().code == ErrorCode::InvalidArgument) {
    co_return fail(ErrorCode::Internal, "the container has no sh, without which cp can't copy",
                   opened.error().message);
  }
  CO_TRY(const std::unique_ptr<ProcessChannels> channels, std::move(opened));
  Result<ScriptReport> report = fail(Error{});
  {
    ContainerScript script(context, *channels, command.subject, std::move(pipes), std::move(talk));
    report = co_await script.run_to_end();
  }
  co_await channels->end();
  co_return report;
}

Result<ContainerScript::Pipes> ContainerScript::make_pipes() {
  std::array<int, 2> down{-1, -1};
  std::array<int, 2> up{-1, -1};
  const bool made = ::pipe2(down.data(), O_CLOEXEC) == 0;
  Pipes pipes;
  pipes.thread_reads.reset(down[0]);
  pipes.to_thread.reset(down[1]);
  if (!made || ::pipe2(up.data(), O_CLOEXEC) != 0) {
    return fail(ErrorCode::Internal, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  pipes.from_thread.reset(up[0]);
  pipes.thread_writes.reset(up[1]);
  // Where the user may not have larger ones, smaller ones do.
  ::fcntl(down[0], F_SETPIPE_SZ, kPipeBytes);
  ::fcntl(up[0], F_SETPIPE_SZ, kPipeBytes);
  return pipes;
}

ContainerScript::ContainerScript(Context& context, ProcessChannels& channels,
                                 const std::string& subject, Pipes pipes, Talk talk)
    : channels_(channels),
      to_thread_(context.executor, std::move(pipes.to_thread)),
      from_thread_(context.executor, std::move(pipes.from_thread)),
      tasks_(context.executor),
      thread_(context.executor,
              [from = std::move(pipes.thread_reads), to = std::move(pipes.thread_writes),
               talk = std::move(talk)](const std::stop_token& stop) mutable {
                return talk(std::move(from), std::move(to), stop);
              }) {
  if (!subject.empty()) progress_.emplace(subject, std::nullopt, context.timers);
}

net::Task<Result<ScriptReport>> ContainerScript::run_to_end() {
  tasks_.spawn("from the container", receive());
  tasks_.spawn("to the container", send());
  tasks_.spawn("talk", await_talk());
  co_await tasks_.finish();
  // Whatever the thread waits for ends now.
  to_thread_.close();
  from_thread_.close();
  if (!line_.empty()) take_line(line_);
  if (progress_ && report_.talk) progress_->finish();
  if (report_.talk || report_.talk.error().code != ErrorCode::Cancelled) {
    co_return std::move(report_);
  }
  co_return fail(cancelled());
}

net::Task<> ContainerScript::receive() {
  while (true) {
    const Result<ProcessChannels::Received> received = co_await channels_.receive();
    if (!received) co_return;
    if (const auto* ended = std::get_if<ProcessChannels::End>(&*received)) {
      report_.exit_code = ended->exit_code;
      break;
    }
    const auto& output = std::get<ProcessChannels::Output>(*received);
    if (output.channel == channel::StreamChannel::Stderr) {
      take_stderr(output.bytes);
      continue;
    }
    const Result<> passed_on = co_await pass_on(output.bytes);
    if (!passed_on) co_return;  // the thread has ended, and says why
  }
  to_thread_.close();
  from_thread_.close();
}

net::Task<Result<>> ContainerScript::pass_on(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(to_thread_.fd(), bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      show(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      CO_TRY_VOID(co_await to_thread_.writable());
    } else if (errno != EINTR) {
      co_return fail(ErrorCode::Unavailable, "nobody reads it");
    }
  }
  co_return Result<>{};
}

net::Task<> ContainerScript::send() {
  std::vector<std::byte> block(kBlockBytes);
  while (true) {
    const Result<> readable = co_await from_thread_.readable();
    if (!readable) co_return;
    const ssize_t count = ::read(from_thread_.fd(), block.data(), block.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) break;
    const Bytes bytes(block.data(), static_cast<std::size_t>(count));
    const Result<> sent = co_await channels_.send(channel::StreamChannel::Stdin, bytes);
    if (!sent) co_return;  // whoever receives learns why
    show(bytes.size());
  }
  (void)co_await channels_.end_stdin();  // whoever receives learns why not
}

/// When our side fails, nothing is left to do. Else the script ends by itself.
net::Task<> ContainerScript::await_talk() {
  report_.talk = co_await thread_.result();
  if (!report_.talk && report_.talk.error().code != ErrorCode::Unavailable) tasks_.cancel();
}

void ContainerScript::take_stderr(Bytes bytes) {
  for (const char next : as_text(bytes)) {
    if (next == '\n') {
      take_line(line_);
      line_.clear();
    } else if (line_.size() < kMaxLineBytes) {
      line_ += next;
    }
  }
}

void ContainerScript::take_line(std::string_view line) {
  if (!line.starts_with(kWord) || report_.said.size() == kMaxWords) {
    report_.complaints.add(std::string(line));
    return;
  }
  line.remove_prefix(kWord.size());
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  const std::string_view rest = line.substr(std::min(end + 1, line.size()));
  report_.said.insert_or_assign(std::string(word), std::string(rest));
  if (word != "size" || !progress_) return;
  const auto size = parse_int64(rest);
  if (size && *size >= 0) progress_->expect(static_cast<std::uint64_t>(*size));
}

void ContainerScript::show(std::size_t bytes) {
  if (progress_) progress_->add(bytes);
}

}  // namespace sluice::cli
