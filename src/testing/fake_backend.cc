#include "testing/fake_backend.h"

#include <algorithm>
#include <cassert>

namespace sluice::testing {
namespace {

using backend::Exited;
using backend::StreamEnd;
using workload::ContainerRef;

std::string join(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

/// Joins a container's main process: another owner of the same streams, that lets stdin go when
/// dropped.
class FakeAttachment final : public backend::RemoteProcess {
 public:
  FakeAttachment(std::unique_ptr<backend::RemoteProcess> process, bool* stdin_held)
      : process_(std::move(process)), stdin_held_(stdin_held) {
    if (stdin_held_ != nullptr) *stdin_held_ = true;
  }
  FakeAttachment(const FakeAttachment&) = delete;
  FakeAttachment& operator=(const FakeAttachment&) = delete;
  ~FakeAttachment() override {
    if (stdin_held_ != nullptr) *stdin_held_ = false;
  }

  net::Task<Result<backend::ProcessOutput>> read(MutableBytes into) override {
    return process_->read(into);
  }
  net::Task<Result<>> write(Bytes bytes) override { return process_->write(bytes); }
  net::Task<Result<>> close_stdin() override { return process_->close_stdin(); }
  bool has_terminal() const override { return process_->has_terminal(); }
  void resize(backend::TerminalSize size) override { process_->resize(size); }
  net::Task<Result<backend::ProcessExit>> wait() override { return process_->wait(); }

 private:
  std::unique_ptr<backend::RemoteProcess> process_;
  bool* stdin_held_;  // null: without stdin
};

}  // namespace

FakeBackend::Container& FakeBackend::Pod::container(std::string_view name) {
  for (const auto& candidate : containers) {
    if (name.empty() || candidate->name == name) return *candidate;
  }
  assert(false && "the test names a container that it has not made");
  std::abort();
}

FakeBackend::FakeBackend(net::Executor executor) : executor_(executor) {
  status.backend_kind = "fake";
  for (const char* feature : {"logs", "exec", "attach", "portForward", "workloads"}) {
    status.features.push_back({.name = feature});
  }
  const auto exits_with = [executor](int code) {
    return [executor, code](const backend::ExecOptions&) {
      return FakeProcess::exits(executor, "", Exited{code});
    };
  };
  programs["true"] = exits_with(0);
  programs["false"] = exits_with(1);
  programs["cat"] = [executor](const backend::ExecOptions&) { return FakeProcess::cat(executor); };
  programs["yes"] = [executor](const backend::ExecOptions&) { return FakeProcess::yes(executor); };
  programs["sh"] =
      [this](const backend::ExecOptions& options) -> Result<std::shared_ptr<FakeProcess>> {
    const bool is_script = options.command.size() >= 3 && options.command[1] == "-c";
    const auto script = is_script ? scripts.find(options.command[2]) : scripts.end();
    if (script == scripts.end()) {
      return FakeProcess::exits(executor_, "sh: not found\n", Exited{127});
    }
    return script->second(options);
  };
}

FakeBackend::~FakeBackend() = default;

void FakeBackend::add_workload(workload::WorkloadRef ref, std::string phase) {
  workloads_.push_back(std::make_unique<Workload>(Workload{std::move(ref), std::move(phase), {}}));
  changes_.notify_all();
}

void FakeBackend::set_phase(const workload::WorkloadRef& ref, std::string phase) {
  (*find_workload(ref))->phase = std::move(phase);
  changes_.notify_all();
}

void FakeBackend::remove_workload(const workload::WorkloadRef& ref) {
  std::erase_if(workloads_, [&](const auto& candidate) { return candidate->ref == ref; });
  changes_.notify_all();
}

FakeBackend::Pod& FakeBackend::add_pod(const workload::WorkloadRef& ref, std::string name,
                                       std::vector<std::string> containers) {
  if (!find_workload(ref)) add_workload(ref);
  if (containers.empty()) containers.push_back(ref.name);
  Workload& owner = **find_workload(ref);
  Pod& pod = *owner.pods.emplace_back(std::make_unique<Pod>());
  pod.ref = {ref.project, std::move(name), "uid-" + std::to_string(next_uid_++)};
  for (std::string& container_name : containers) {
    Container& container = *pod.containers.emplace_back(std::make_unique<Container>());
    container.name = std::move(container_name);
    container.log = std::make_shared<FakeLog>(executor_);
    container.main = std::make_shared<FakeProcess>(executor_);
    processes_of_.emplace(pod.ref.uid, container.main);
  }
  changes_.notify_all();
  return pod;
}

void FakeBackend::delete_pod(std::string_view name) {
  for (const auto& owner : workloads_) {
    const auto pod = std::ranges::find_if(
        owner->pods, [&](const auto& candidate) { return candidate->ref.name == name; });
    if (pod == owner->pods.end()) continue;
    const std::string uid = (*pod)->ref.uid;
    for (const auto& container : (*pod)->containers) {
      container->log->end(StreamEnd::TargetDeleted);
    }
    for (auto [it, last] = processes_of_.equal_range(uid); it != last; ++it) {
      it->second->exit(backend::ProcessDeleted{});
    }
    for (auto [it, last] = connections_of_.equal_range(uid); it != last; ++it) {
      it->second->end(StreamEnd::TargetDeleted);
    }
    deleted_.push_back(std::move(*pod));
    owner->pods.erase(pod);
    return changes_.notify_all();
  }
}

void FakeBackend::finish_pod(std::string_view name, int exit_code) {
  for (const auto& owner : workloads_) {
    for (const auto& pod : owner->pods) {
      if (pod->ref.name != name) continue;
      pod->state = PodState::Finished;
      for (const auto& container : pod->containers) {
        container->log->end(StreamEnd::Completed);
        container->main->exit(Exited{exit_code});
      }
    }
  }
  changes_.notify_all();
}

Result<> FakeBackend::admit(const auth::Caller& caller) {
  callers.push_back(caller.user);
  if (failure) return fail(*failure);
  return {};
}

Result<FakeBackend::Workload*> FakeBackend::find_workload(const workload::WorkloadRef& ref) {
  bool project_exists = projects.contains(ref.project);
  for (const auto& candidate : workloads_) {
    project_exists = project_exists || candidate->ref.project == ref.project;
    const bool fits =
        ref.framework == workload::Framework::Any || ref.framework == candidate->ref.framework;
    if (fits && candidate->ref.project == ref.project && candidate->ref.type == ref.type &&
        candidate->ref.name == ref.name) {
      return candidate.get();
    }
  }
  if (!project_exists)
    return fail(ErrorCode::NotFound, "project \"" + ref.project + "\" not found");
  return fail(ErrorCode::WorkloadNotFound, "workload \"" + ref.name + "\" not found");
}

workload::WorkloadStatus FakeBackend::status_of(const Workload& workload) {
  workload::WorkloadStatus result;
  result.workload = workload.ref;
  result.phase = workload.phase;
  result.kind = "TrainingWorkload";
  for (const auto& pod : workload.pods) {
    ++result.pods.total;
    ++(pod->state == PodState::Finished ? result.pods.succeeded : result.pods.running);
  }
  return result;
}

net::Task<Result<workload::WorkloadStatus>> FakeBackend::workload_status(
    const auth::Caller& caller, workload::WorkloadRef ref) {
  CO_TRY_VOID(admit(caller));
  CO_TRY(const Workload* const found, find_workload(ref));
  co_return status_of(*found);
}

net::Task<Result<std::vector<workload::WorkloadStatus>>> FakeBackend::list_workloads(
    const auth::Caller& caller, std::string project) {
  CO_TRY_VOID(admit(caller));
  std::vector<workload::WorkloadStatus> list;
  for (const auto& candidate : workloads_) {
    if (candidate->ref.project == project) list.push_back(status_of(*candidate));
  }
  if (list.empty() && !projects.contains(project)) {
    co_return fail(ErrorCode::NotFound, "project \"" + project + "\" not found");
  }
  co_return list;
}

net::Task<Result<std::vector<workload::PodStatus>>> FakeBackend::list_pods(
    const auth::Caller& caller, workload::WorkloadRef ref) {
  CO_TRY_VOID(admit(caller));
  CO_TRY(const Workload* const found, find_workload(ref));
  std::vector<workload::PodStatus> pods;
  for (const auto& pod : found->pods) {
    const bool runs = pod->state == PodState::Running;
    workload::PodStatus& described = pods.emplace_back();
    described.name = pod->ref.name;
    described.phase = runs ? "Running" : "Succeeded";
    described.ready = runs;
    described.node = "node-1";
    for (const auto& container : pod->containers) {
      workload::ContainerStatus& entry = described.containers.emplace_back();
      entry.name = container->name;
      entry.state = runs ? workload::ContainerState::Running : workload::ContainerState::Terminated;
      entry.ready = runs;
      entry.is_default = container == pod->containers.front();
    }
  }
  co_return pods;
}

std::unique_ptr<backend::ChangeWatch> FakeBackend::watch_project(const std::string& project,
                                                                 net::Executor executor) {
  return changes_.watch(project, executor);
}

net::Task<Result<ContainerRef>> FakeBackend::resolve(const auth::Caller& caller,
                                                     workload::WorkloadRef ref,
                                                     backend::Target target) {
  CO_TRY_VOID(admit(caller));
  CO_TRY(const Workload* const found, find_workload(ref));
  if (found->pods.empty()) {
    co_return fail(ErrorCode::NotFound, "workload \"" + ref.name + "\" has no pods yet");
  }
  std::vector<std::string> names;
  for (const auto& pod : found->pods) {
    names.push_back(pod->ref.name);
    if (!target.pod.empty() && pod->ref.name != target.pod) continue;
    std::vector<std::string> container_names;
    for (const auto& container : pod->containers) {
      if (target.container.empty() || container->name == target.container) {
        co_return ContainerRef{found->ref, pod->ref, container->name};
      }
      container_names.push_back(container->name);
    }
    co_return fail(ErrorCode::NotFound, "container \"" + target.container + "\" not in pod \"" +
                                            pod->ref.name + "\"; it has: " + join(container_names));
  }
  co_return fail(ErrorCode::NotFound, "pod \"" + target.pod + "\" not in workload \"" + ref.name +
                                          "\"; it has: " + join(names));
}

Result<std::pair<FakeBackend::Pod*, FakeBackend::Container*>> FakeBackend::find(
    const ContainerRef& ref) {
  for (const auto& owner : workloads_) {
    for (const auto& pod : owner->pods) {
      if (pod->ref != ref.pod) continue;
      for (const auto& container : pod->containers) {
        if (container->name == ref.container) return std::pair(pod.get(), container.get());
      }
    }
  }
  return fail(ErrorCode::NotFound, "pod \"" + ref.pod.name + "\" is gone");
}

net::Task<Result<std::unique_ptr<backend::LogStream>>> FakeBackend::open_log(
    const auth::Caller& caller, ContainerRef ref, backend::LogOptions options) {
  CO_TRY_VOID(admit(caller));
  CO_TRY(const auto found, find(ref));
  logs_opened.push_back(options);
  const Container& container = *found.second;
  if (options.previous && !container.previous_log) {
    co_return fail(ErrorCode::NotFound, "container \"" + ref.container + "\" has no previous run");
  }
  co_return FakeLog::open(options.previous ? container.previous_log : container.log, options);
}

Result<std::shared_ptr<FakeProcess>> FakeBackend::start(const backend::ExecOptions& options) {
  const auto program = programs.find(options.command.front());
  if (program == programs.end()) {
    return fail(ErrorCode::InvalidArgument,
                "can't start \"" + options.command.front() + "\": no such file or directory");
  }
  return program->second(options);
}

net::Task<Result<std::unique_ptr<backend::RemoteProcess>>> FakeBackend::exec(
    const auth::Caller& caller, ContainerRef ref, backend::ExecOptions options) {
  CO_TRY_VOID(admit(caller));
  CO_TRY(const auto found, find(ref));
  execs.push_back(options);
  if (found.first->state != PodState::Running) {
    co_return fail(ErrorCode::Conflict, "pod \"" + ref.pod.name + "\" has finished");
  }
  if (exec_hangs) {
    net::Event never(executor_);
    CO_TRY_VOID(co_await never.wait());
  }
  CO_TRY(const std::shared_ptr<FakeProcess> process, start(options));
  process->command = options.command;
  processes.push_back(process);
  processes_of_.emplace(ref.pod.uid, process);
  co_return FakeProcess::open(process, options.streams);
}

net::Task<Result<std::unique_ptr<backend::RemoteProcess>>> FakeBackend::attach(
    const auth::Caller& caller, ContainerRef ref, backend::AttachOptions options) {
  CO_TRY_VOID(admit(caller));
  CO_TRY(const auto found, find(ref));
  attaches.push_back(options);
  Container& container = *found.second;
  if (found.first->state != PodState::Running) {
    co_return fail(ErrorCode::Conflict, "pod \"" + ref.pod.name + "\" has finished");
  }
  if (options.stdin && (container.stdin_held || !container.stdin_open)) {
    co_return fail(ErrorCode::Unavailable, container.stdin_open
                                               ? "stdin is held by another session; use exec"
                                               : "the container has no stdin; use exec");
  }
  container.main->forget_output();
  co_return std::make_unique<FakeAttachment>(FakeProcess::open(container.main, options),
                                             options.stdin ? &container.stdin_held : nullptr);
}

net::Task<Result<std::unique_ptr<backend::PortStream>>> FakeBackend::forward_port(
    const auth::Caller& caller, ContainerRef ref, std::uint16_t port) {
  CO_TRY_VOID(admit(caller));
  CO_TRY(const auto found, find(ref));
  ports_dialled.push_back(port);
  if (found.first->state != PodState::Running) {
    co_return fail(ErrorCode::Conflict, "pod \"" + ref.pod.name + "\" has finished");
  }
  const auto listener = ports.find(port);
  if (listener == ports.end()) co_return fail(ErrorCode::Unavailable, "connection refused");
  CO_TRY(const std::shared_ptr<FakePort> connection, listener->second());
  connections.push_back(connection);
  connections_of_.emplace(ref.pod.uid, connection);
  co_return FakePort::open(connection);
}

}  // namespace sluice::testing
