#include "backend/local/local_backend.h"

#include <sys/utsname.h>

#include <csignal>

#include <fmt/format.h>

#include "backend/local/local_exec.h"
#include "backend/local/local_port.h"
#include "backend/local/log_stream.h"
#include "backend/local/supervisor.h"
#include "net/current_executor.h"

namespace sluice::backend::local {
namespace {

bool any_log_degraded(const ClusterView& view) {
  for (const auto& [key, workload] : view.workloads) {
    for (const auto& pod : workload.pods) {
      for (const ContainerView& container : pod->containers) {
        if (container.log->is_degraded()) return true;
      }
    }
  }
  return false;
}

/// What is behind this backend is the system: "Linux 6.1.0".
std::string kernel_version() {
  utsname name{};
  if (::uname(&name) != 0) return {};
  return fmt::format("{} {}", name.sysname, name.release);
}

std::string host_name() {
  utsname name{};
  if (::uname(&name) != 0) return {};
  return name.nodename;
}

}  // namespace

Result<std::unique_ptr<LocalBackend>> LocalBackend::start(
    LocalBackendConfig config, net::EventLoop& loop, const std::vector<net::EventLoop*>& sessions,
    ProcessHost& host, net::Timers& timers, Random& random) {
  // A process that closes its stdin must not end the server.
  std::signal(SIGPIPE, SIG_IGN);
  TRY(WorkloadsFile file, read_workloads_file(config.workloads_file));
  TRY(StateDirectory directory, StateDirectory::open(config.state_dir));
  SupervisorConfig supervision{std::move(config.workloads_file), std::move(config.environment),
                               config.metrics};
  auto supervisor = std::make_unique<Supervisor>(std::move(supervision), std::move(directory), loop,
                                                 host, timers, random);
  supervisor->start(std::move(file));
  return std::unique_ptr<LocalBackend>(new LocalBackend(std::move(supervisor), sessions));
}

Result<> LocalBackend::check(const std::string& workloads_file) {
  TRY_VOID(read_workloads_file(workloads_file));
  return {};
}

LocalBackend::LocalBackend(std::unique_ptr<Supervisor> supervisor,
                           const std::vector<net::EventLoop*>& sessions)
    : supervisor_(std::move(supervisor)), tasks_(sessions) {}

LocalBackend::~LocalBackend() = default;

net::Task<Result<>> LocalBackend::ready() { co_return Result<>{}; }

void LocalBackend::reload() { supervisor_->reload(); }

net::Task<> LocalBackend::stop() {
  co_await tasks_.stop();
  co_await supervisor_->stop();
}

workload::ClusterStatus LocalBackend::cluster_status() const {
  workload::ClusterStatus status;
  status.backend_kind = "local";
  status.backend_version = kernel_version();
  using enum workload::FeatureState;
  workload::FeatureStatus logs{"logs", Ok, {}};
  if (any_log_degraded(*supervisor_->view())) {
    logs.state = Degraded;
    logs.message = "the disk refuses what containers write";
  }
  workload::FeatureStatus exec{"exec", Ok, {}};
  if (!supervisor_->host().is_alive()) {
    exec.state = Unavailable;
    exec.message = "the process host was killed; restart sluiced";
  }
  status.features = {std::move(logs),
                     std::move(exec),
                     {"attach", Ok, {}},
                     {"portForward", Ok, {}},
                     {"workloads", Ok, {}}};
  return status;
}

net::Task<Result<workload::WorkloadStatus>> LocalBackend::workload_status(
    const auth::Caller&, workload::WorkloadRef workload) {
  const std::shared_ptr<const ClusterView> view = supervisor_->view();
  CO_TRY(const WorkloadView* const found, view->find(workload));
  co_return status_of(*found);
}

net::Task<Result<std::vector<workload::WorkloadStatus>>> LocalBackend::list_workloads(
    const auth::Caller&, std::string project) {
  co_return supervisor_->view()->list(project);
}

net::Task<Result<std::vector<workload::PodStatus>>> LocalBackend::list_pods(
    const auth::Caller&, workload::WorkloadRef workload) {
  const std::shared_ptr<const ClusterView> view = supervisor_->view();
  CO_TRY(const WorkloadView* const found, view->find(workload));
  co_return pods_of(*found, host_name());
}

std::unique_ptr<ChangeWatch> LocalBackend::watch_project(const std::string& project,
                                                         net::Executor executor) {
  return supervisor_->changes().watch(project, executor);
}

net::Task<Result<workload::ContainerRef>> LocalBackend::resolve(const auth::Caller&,
                                                                workload::WorkloadRef workload,
                                                                Target target) {
  const std::shared_ptr<const ClusterView> view = supervisor_->view();
  CO_TRY(const WorkloadView* const found, view->find(workload));
  CO_TRY(const PodView* const pod, find_pod(*found, target.pod));
  CO_TRY(const ContainerView* const container, find_container(*found, *pod, target.container));
  workload::ContainerRef ref{found->ref, pod->ref, container->name};
  co_return ref;
}

net::Task<Result<std::unique_ptr<LogStream>>> LocalBackend::open_log(
    const auth::Caller&, workload::ContainerRef container, LogOptions options) {
  const std::shared_ptr<const ClusterView> view = supervisor_->view();
  CO_TRY(const WorkloadView* const workload, view->find(container.workload));
  CO_TRY(const PodView* const pod, find_pod(*workload, container.pod.name));
  CO_TRY(const ContainerView* const found, find_container(*workload, *pod, container.container));
  const net::Executor executor = co_await net::current_executor();
  co_return open_log_stream(found->log, options, executor);
}

net::Task<Result<std::unique_ptr<RemoteProcess>>> LocalBackend::exec(
    const auth::Caller&, workload::ContainerRef container, ExecOptions options) {
  co_return co_await start_exec(*supervisor_, std::move(container), std::move(options));
}

net::Task<Result<std::unique_ptr<RemoteProcess>>> LocalBackend::attach(
    const auth::Caller&, workload::ContainerRef container, AttachOptions options) {
  co_return co_await join_container(*supervisor_, std::move(container), options);
}

net::Task<Result<std::unique_ptr<PortStream>>> LocalBackend::forward_port(
    const auth::Caller&, workload::ContainerRef container, std::uint16_t port) {
  co_return co_await connect_port(*supervisor_, tasks_, std::move(container), port);
}

}  // namespace sluice::backend::local
