#include "backend/local/container.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "backend/local/terminal.h"
#include "base/text.h"
#include "observe/log.h"

namespace sluice::backend::local {
namespace {

constexpr int kOutputPipeBytes = 1 << 20;
constexpr int kInputPipeBytes = 64 << 10;
/// How long a process outside the tree that got hold of the output can delay the end of a run.
constexpr nanoseconds kDrainLimit = seconds(2);

net::Task<> cancel_after_drain_limit(net::Timers& timers, net::TaskGroup& pumps) {
  const Result<> slept = co_await timers.sleep_for(kDrainLimit);
  if (slept) pumps.cancel();
}

constexpr int kSignalBase = 128;  // as shells add it to a signal's number

std::string describe(ShimMessage end) {
  if (end.event == ShimEvent::Killed) return fmt::format("killed by signal {}", end.value);
  return fmt::format("exit code {}", end.value);
}

}  // namespace

Container::Container(const ContainerServices& services, std::string pod, ContainerSpec spec,
                     ContainerSetting setting, std::shared_ptr<ContainerLog> log,
                     DeletedFlag deleted, std::function<void()> changed)
    : services_(services),
      pod_(std::move(pod)),
      spec_(std::move(spec)),
      setting_(std::make_shared<const ContainerSetting>(std::move(setting))),
      log_(std::move(log)),
      deleted_(std::move(deleted)),
      changed_(std::move(changed)),
      wake_(services.executor),
      tasks_(services.executor),
      leashes_(services.executor) {}

ContainerView Container::view() const {
  ContainerView view{.name = spec_.name, .state = state_, .reason = message_};
  // One that could not be started has no exit code.
  if (state_ == ContainerState::Ended && !failed_to_start_) view.exit_code = exit_code_;
  view.restarts = restarts_;
  view.started_at = started_at_;
  view.setting = setting_;
  view.log = log_;
  return view;
}

net::Task<> Container::run() {
  RestartBackOff back_off;
  for (restarts_ = 0; !stopping_; ++restarts_) {
    const MonotonicTime began = services_.timers.now();
    co_await run_once();
    const RunResult result = failed_ ? RunResult::Failed : RunResult::Succeeded;
    if (stopping_ || failed_to_start_ || !restarts(spec_.restart, result)) break;
    const nanoseconds wait = back_off.next(services_.timers.now() - began);
    co_await wait_before_restart(wait);
    if (services_.metrics != nullptr && !stopping_) services_.metrics->container_restarted();
  }
  tasks_.cancel();
  co_await tasks_.join();
  set_state(ContainerState::Ended);
}

void Container::request_stop() {
  if (std::exchange(stopping_, true)) return;
  wake_.notify();
  if (process_) begin_termination();
}

void Container::hold_leash(UniqueFd leash) {
  if (state_ == ContainerState::Running) leashes_.spawn("leash", watch_leash(std::move(leash)));
}

Result<AttachGrant> Container::attach(const StreamOptions& options) {
  if (state_ != ContainerState::Running) {
    return fail(ErrorCode::Conflict, fmt::format("container \"{}\" is not running", spec_.name));
  }
  if (options.stdin && !spec_.stdin) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("container \"{}\" was started without stdin; attach without stdin, or use "
                    "exec to run a command of your own in it",
                    spec_.name));
  }
  if (options.stdin && input_is_held()) {
    return fail(ErrorCode::Unavailable,
                fmt::format("stdin of container \"{}\" is held by another session; attach without "
                            "stdin, or use exec to run a command of your own in it",
                            spec_.name));
  }
  AttachGrant grant;
  TRY(std::shared_ptr<Attachment> attachment, Attachment::make(services_.executor, options, grant));
  if (options.stdin) {
    TRY(grant.input, duplicate(input_.get()));
  }
  if (terminal_) {
    TRY(grant.terminal, duplicate(terminal_.get()));
    if (options.size) set_terminal_size(terminal_.get(), *options.size);
  }
  attachment->holds_input = options.stdin;
  attachment->start(services_.attachments);
  attachments_.push_back(std::move(attachment));
  return grant;
}

net::Task<> Container::run_once() {
  Result<Streams> streams = open_streams();
  if (!streams) co_return start_failed(streams.error());
  log_->begin_run(restarts_);
  SpawnDescriptors child = std::move(streams->child);
  Result<ProcessControl> process = co_await services_.host.spawn(spawn_request(), std::move(child));
  if (!process) {
    log_->end_run();
    co_return start_failed(process.error());
  }
  process_ = *std::move(process);
  was_started_ = true;
  started_at_ = services_.timers.wall_now();
  failed_ = false;
  draining_ = false;
  message_.clear();
  log(LogLevel::Debug, "container started",
      {{"pod", pod_}, {"container", spec_.name}, {"pid", process_->pid()}});
  set_state(ContainerState::Running);
  if (stopping_) begin_termination();
  co_await follow_process(*std::move(streams));
}

Result<Container::Streams> Container::open_streams() {
  Streams streams;
  input_.reset();
  terminal_.reset();
  if (spec_.tty) {
    TRY(TerminalEnds terminal, open_terminal({}));
    TRY(streams.child.stdout, duplicate(terminal.slave.get()));
    TRY(streams.child.stderr, duplicate(terminal.slave.get()));
    streams.child.stdin = std::move(terminal.slave);
    TRY(streams.stdout, duplicate(terminal.master.get()));
    if (spec_.stdin) {
      TRY(input_, duplicate(terminal.master.get()));
    }
    terminal_ = std::move(terminal.master);
    return streams;
  }
  TRY(PipeEnds stdout, make_pipe(kOutputPipeBytes));
  TRY(PipeEnds stderr, make_pipe(kOutputPipeBytes));
  streams.stdout = std::move(stdout.reader);
  streams.child.stdout = std::move(stdout.writer);
  streams.stderr = std::move(stderr.reader);
  streams.child.stderr = std::move(stderr.writer);
  if (spec_.stdin) {
    TRY(PipeEnds stdin, make_pipe(kInputPipeBytes));
    streams.child.stdin = std::move(stdin.reader);
    input_ = std::move(stdin.writer);
  }
  return streams;
}

SpawnRequest Container::spawn_request() const {
  SpawnRequest request;
  request.name = fmt::format("run-{}-{}", pod_, spec_.name);
  request.command = spec_.command;
  request.environment = setting_->environment;
  request.working_directory = setting_->working_directory;
  request.credentials = setting_->credentials;
  request.tty = spec_.tty;
  request.end_policy = EndPolicy::Kill;
  request.kill_rest = true;
  return request;
}

net::Task<> Container::follow_process(Streams streams) {
  net::TaskGroup pumps(services_.executor);
  pumps.spawn("stdout", pump(std::move(streams.stdout), OutputChannel::Stdout));
  if (streams.stderr) pumps.spawn("stderr", pump(std::move(streams.stderr), OutputChannel::Stderr));

  const Result<ShimMessage> waited = co_await process_->wait();
  const ShimMessage end =
      waited ? *waited : ShimMessage{ShimEvent::Killed, SpawnStage::Execute, SIGKILL};
  set_state(ContainerState::Ending);
  leashes_.cancel();                     // its execs end with it
  (void)co_await process_->wait_gone();  // cancelled: dropping it kills
  process_.reset();
  co_await drain(pumps);
  co_await leashes_.join();
  input_.reset();
  terminal_.reset();
  log_->end_run();
  finish_attachments(end);
  process_ended(end);
}

net::Task<> Container::drain(net::TaskGroup& pumps) {
  // What is left is at most what the pipes hold, so from here on attaches keep what they can't
  // take.
  draining_ = true;
  for (const auto& attachment : attachments_) {
    attachment->drained(OutputChannel::Stdout).notify();
    attachment->drained(OutputChannel::Stderr).notify();
  }
  net::TaskGroup limits(services_.executor);
  limits.spawn("drain limit", cancel_after_drain_limit(services_.timers, pumps));
  co_await pumps.join();
  limits.cancel();
  co_await limits.join();
}

net::Task<> Container::pump(UniqueFd fd, OutputChannel channel) {
  net::Descriptor source(services_.executor, std::move(fd));
  // Waiting before each read lets the other containers have their turn.
  while (true) {
    const Result<> readable = co_await source.readable();
    if (!readable) co_return;
    const ssize_t count = read_output(source.fd(), services_.scratch);
    if (count < 0) continue;
    if (count == 0) co_return;
    const Bytes bytes = services_.scratch.first(static_cast<std::size_t>(count));
    log_->write(channel, bytes);
    std::erase_if(attachments_, [](const auto& attachment) { return attachment->ended(); });
    for (const auto& attachment : attachments_) attachment->push(channel, bytes);
    const Result<> delivered = co_await wait_for_attachments(channel);
    if (!delivered) co_return;
  }
}

net::Task<Result<>> Container::wait_for_attachments(OutputChannel channel) {
  while (!draining_) {
    const auto slow = std::ranges::find_if(
        attachments_, [](const auto& attachment) { return attachment->has_pending(); });
    if (slow == attachments_.end()) break;
    const std::shared_ptr<Attachment> attachment = *slow;  // the list may change meanwhile
    CO_TRY_VOID(co_await attachment->drained(channel).wait());
  }
  co_return Result<>{};
}

net::Task<> Container::wait_before_restart(nanoseconds wait) {
  if (wait > nanoseconds(0)) {
    // A run that ended well left no message.
    if (message_.empty()) message_ = "exit code 0";
    message_ += "; restarting in " + format_duration(wait);
  }
  set_state(ContainerState::Waiting);
  const MonotonicTime deadline = services_.timers.now() + wait;
  tasks_.spawn("restart", wake_at(deadline));
  while (!stopping_ && services_.timers.now() < deadline) {
    const Result<> woken = co_await wake_.wait();
    if (!woken) stopping_ = true;
  }
}

net::Task<> Container::kill_after_grace() {
  const Result<> slept = co_await services_.timers.sleep_for(kStopGrace);
  if (slept && process_) process_->kill_tree();
}

net::Task<> Container::wake_at(MonotonicTime deadline) {
  const Result<> slept = co_await services_.timers.sleep_until(deadline);
  if (slept) wake_.notify();
}

net::Task<> Container::watch_leash(UniqueFd leash) {
  net::Descriptor descriptor(services_.executor, std::move(leash));
  (void)co_await descriptor
      .readable();  // the exec's shim has gone, or this run ends: both close it
}

void Container::begin_termination() {
  process_->signal_tree(SIGTERM);
  process_->signal_tree(SIGCONT);  // a stopped one could not obey
  tasks_.spawn("stop grace", kill_after_grace());
}

void Container::start_failed(const Error& error) {
  if (error.code == ErrorCode::Cancelled) stopping_ = true;
  failed_ = true;
  failed_to_start_ = error.code != ErrorCode::Unavailable;  // that may pass: by the policy
  message_ = error.message;
  log(LogLevel::Warning, "container not started", error,
      {{"pod", pod_}, {"container", spec_.name}});
}

void Container::process_ended(ShimMessage end) {
  failed_ = end.event != ShimEvent::Exited || end.value != 0;
  exit_code_ = end.event == ShimEvent::Killed ? kSignalBase + end.value : end.value;
  message_ = failed_ ? describe(end) : std::string();
  log(LogLevel::Debug, "container ended",
      {{"pod", pod_}, {"container", spec_.name}, {"message", message_}});
}

void Container::finish_attachments(ShimMessage end) {
  if (deleted_->load()) end = {ShimEvent::Deleted, SpawnStage::Execute, 0};
  for (const auto& attachment : attachments_) attachment->finish(end);
  attachments_.clear();
}

bool Container::input_is_held() const {
  return std::ranges::any_of(attachments_, [](const auto& attachment) {
    return attachment->holds_input && !attachment->ended();
  });
}

void Container::set_state(ContainerState state) {
  state_ = state;
  changed_();
}

}  // namespace sluice::backend::local
