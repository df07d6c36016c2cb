#include "backend/local/local_exec.h"

#include <fmt/format.h>

#include "backend/local/terminal.h"
#include "net/current_executor.h"

namespace sluice::backend::local {
namespace {

constexpr int kOutputPipeBytes = 256 << 10;
constexpr int kInputPipeBytes = 64 << 10;

/// What exec and attach need of the target, if its state allows them.
struct RunningContainer {
  std::shared_ptr<const ContainerSetting> setting;
  DeletedFlag deleted;
};

Result<RunningContainer> require_running(const Supervisor& supervisor,
                                         const workload::ContainerRef& ref) {
  const std::shared_ptr<const ClusterView> view = supervisor.view();
  TRY(const WorkloadView* const workload, view->find(ref.workload));
  TRY(const PodView* const pod, find_pod(*workload, ref.pod.name));
  TRY(const ContainerView* const container, find_container(*workload, *pod, ref.container));
  if (pod->ref.uid != ref.pod.uid) {
    return fail(ErrorCode::Conflict, fmt::format("pod \"{}\" was just replaced", ref.pod.name));
  }
  if (pod->phase == PodPhase::Terminating) {
    return fail(ErrorCode::Conflict, fmt::format("pod \"{}\" is terminating", ref.pod.name));
  }
  if (container->state == ContainerState::Running) {
    return RunningContainer{container->setting, pod->deleted};
  }
  const std::string_view state =
      container->state == ContainerState::Waiting ? "is not running now" : "has finished";
  std::string message =
      fmt::format("container \"{}\" of pod \"{}\" {}", ref.container, ref.pod.name, state);
  if (!pod->message.empty()) message += " (" + pod->message + ")";
  return fail(ErrorCode::Conflict, std::move(message));
}

/// Both sides of the streams of a new process.
struct ExecStreams {
  SpawnDescriptors child;
  ProcessStreams ours;
};

Result<ExecStreams> open_terminal_streams(const StreamOptions& options) {
  ExecStreams streams;
  TRY(TerminalEnds terminal, open_terminal(options.size));
  TRY(streams.child.stdout, duplicate(terminal.slave.get()));
  TRY(streams.child.stderr, duplicate(terminal.slave.get()));
  streams.child.stdin = std::move(terminal.slave);
  if (options.stdin) {
    TRY(streams.ours.input, duplicate(terminal.master.get()));
  }
  TRY(streams.ours.terminal, duplicate(terminal.master.get()));
  // Read even when nobody asked, lest the program block on a full terminal.
  streams.ours.stdout = std::move(terminal.master);
  streams.ours.input_end = InputEnd::EndCharacter;
  return streams;
}

Result<ExecStreams> open_pipe_streams(const StreamOptions& options) {
  ExecStreams streams;
  if (options.stdin) {
    TRY(PipeEnds stdin, make_pipe(kInputPipeBytes));
    streams.child.stdin = std::move(stdin.reader);
    streams.ours.input = std::move(stdin.writer);
  }
  if (options.stdout) {
    TRY(PipeEnds stdout, make_pipe(kOutputPipeBytes));
    streams.ours.stdout = std::move(stdout.reader);
    streams.child.stdout = std::move(stdout.writer);
  }
  if (options.stderr && options.stdout && options.combine_output) {
    TRY(streams.child.stderr, duplicate(streams.child.stdout.get()));
  } else if (options.stderr) {
    TRY(PipeEnds stderr, make_pipe(kOutputPipeBytes));
    streams.ours.stderr = std::move(stderr.reader);
    streams.child.stderr = std::move(stderr.writer);
  }
  return streams;
}

SpawnRequest exec_request(const workload::ContainerRef& ref, const ExecOptions& options,
                          const ContainerSetting& setting) {
  SpawnRequest request;
  request.name = fmt::format("exec-{}-{}", ref.pod.name, ref.container);
  request.command = options.command;
  request.environment = setting.environment;
  request.working_directory = setting.working_directory;
  request.credentials = setting.credentials;
  request.tty = options.streams.tty;
  request.end_policy =
      options.on_disconnect == OnDisconnect::Leave ? EndPolicy::Leave : EndPolicy::HangUp;
  if (!options.streams.tty) return request;
  for (const std::string& variable : request.environment) {
    if (variable.starts_with("TERM=")) return request;
  }
  request.environment.emplace_back("TERM=xterm");
  return request;
}

}  // namespace

net::Task<Result<std::unique_ptr<RemoteProcess>>> start_exec(Supervisor& supervisor,
                                                             workload::ContainerRef ref,
                                                             ExecOptions options) {
  CO_TRY(const RunningContainer container, require_running(supervisor, ref));
  CO_TRY(ExecStreams streams, options.streams.tty ? open_terminal_streams(options.streams)
                                                  : open_pipe_streams(options.streams));
  CO_TRY(SocketEnds leash, make_socket_pair());
  streams.child.leash = std::move(leash.theirs);
  SpawnRequest request = exec_request(ref, options, *container.setting);
  // Held before it runs: should the container end meanwhile, so does the new process.
  supervisor.hold_leash(ref, std::move(leash.ours));
  CO_TRY(ProcessControl control,
         co_await supervisor.host().spawn(std::move(request), std::move(streams.child)));
  const net::Executor executor = co_await net::current_executor();
  CO_TRY(std::unique_ptr<LocalProcess> process,
         LocalProcess::make(executor, supervisor.timers(), std::move(control),
                            std::move(streams.ours), container.deleted));
  // It may go on without its session, with the clean-up that SIGHUP asks for or for good, and must
  // not die of writing to nobody.
  process->leave_outputs_to([&supervisor](std::vector<UniqueFd> outputs) {
    supervisor.drain_outputs(std::move(outputs));
  });
  co_return process;
}

net::Task<Result<std::unique_ptr<RemoteProcess>>> join_container(Supervisor& supervisor,
                                                                 workload::ContainerRef ref,
                                                                 AttachOptions options) {
  CO_TRY(const RunningContainer container, require_running(supervisor, ref));
  CO_TRY(AttachGrant grant, co_await supervisor.attach(ref, options));
  ProcessStreams streams;
  streams.input = std::move(grant.input);
  streams.stdout = std::move(grant.stdout);
  streams.stderr = std::move(grant.stderr);
  streams.terminal = std::move(grant.terminal);
  streams.input_end = InputEnd::LetGo;
  const net::Executor executor = co_await net::current_executor();
  ProcessControl control(executor, std::move(grant.control), 0);
  CO_TRY(std::unique_ptr<LocalProcess> process,
         LocalProcess::make(executor, supervisor.timers(), std::move(control), std::move(streams),
                            container.deleted));
  co_return process;
}

}  // namespace sluice::backend::local
