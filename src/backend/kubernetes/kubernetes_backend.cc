#include "backend/kubernetes/kubernetes_backend.h"

#include "backend/kubernetes/cache/resolver.h"
#include "backend/kubernetes/cluster_status.h"
#include "backend/kubernetes/open_cluster_access.h"
#include "backend/kubernetes/streams/streams.h"
#include "net/current_executor.h"
#include "net/event.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr nanoseconds kReadyInterval = milliseconds(10);
constexpr nanoseconds kIdleCheckInterval = seconds(10);

}  // namespace

Result<std::unique_ptr<KubernetesBackend>> KubernetesBackend::start(
    KubernetesConfig config, net::EventLoop& loop, std::vector<net::EventLoop*> sessions,
    net::Timers& timers, Random& random) {
  TRY(Mapping mapping, read_mapping(config.mapping));
  TRY(std::unique_ptr<ClusterAccess> access, open_cluster_access(config, timers));
  std::unique_ptr<KubernetesBackend> backend(new KubernetesBackend(
      std::move(config), std::move(access), std::move(mapping), loop, sessions, timers, random));
  backend->cache_.start();
  backend->self_check_.start();
  for (net::EventLoop* session_loop : sessions) {
    const net::Executor executor = session_loop->executor();
    backend->tasks_.spawn(executor, "close idle connections", backend->close_idle_connections());
  }
  return backend;
}

Result<> KubernetesBackend::check(const KubernetesConfig& config, net::Timers& timers) {
  TRY_VOID(read_mapping(config.mapping));
  TRY_VOID(open_cluster_access(config, timers));
  return {};
}

KubernetesBackend::KubernetesBackend(KubernetesConfig config, std::unique_ptr<ClusterAccess> access,
                                     Mapping mapping, net::EventLoop& loop,
                                     const std::vector<net::EventLoop*>& sessions,
                                     net::Timers& timers, Random& random)
    : config_(std::move(config)),
      access_(std::move(access)),
      mapping_(std::move(mapping)),
      loop_(loop),
      timers_(timers),
      client_(*access_, timers, random),
      kubelets_(*access_, timers, random),
      cache_(client_, mapping_, loop.executor(), timers, random),
      self_check_(client_, config_.acting_as, loop.executor(), timers),
      authorizer_(
          client_, config_.acting_as,
          [this](std::string_view project) { return namespace_of(project); }, timers),
      log_sources_(config_.logs, config_.acting_as, client_, kubelets_, authorizer_, timers,
                   random),
      tasks_(sessions),
      stopping_(loop.executor()) {}

KubernetesBackend::~KubernetesBackend() = default;

net::Task<Result<>> KubernetesBackend::ready() {
  while (!cache_.is_started() || !self_check_.result()->is_known()) {
    CO_TRY_VOID(co_await timers_.sleep_for(kReadyInterval));
  }
  co_return Result<>{};
}

/// Kubeconfig, certificates and tokens are reread by themselves when they change; a new mapping
/// takes a restart.
void KubernetesBackend::reload() { access_->renew_credentials(); }

net::Task<> KubernetesBackend::stop() {
  co_await tasks_.stop();
  const net::Executor executor = co_await net::current_executor();
  net::Event stopped(executor);
  bool has_stopped = false;  // touched by the calling loop only
  loop_.post([this, executor, &stopped, &has_stopped] {
    stopping_.spawn("stop watching", stop_watching([executor, &stopped, &has_stopped] {
                      net::post(executor, [&stopped, &has_stopped] {
                        has_stopped = true;
                        stopped.notify();
                      });
                    }));
  });
  while (!has_stopped) {
    const Result<> woken = co_await stopped.wait();
    (void)woken;  // also when cancelled: what was posted refers to us
  }
}

/// Of the loop that it runs on. A loop that asks nothing any more would keep them until the servers
/// close them, and then half-closed sockets.
net::Task<> KubernetesBackend::close_idle_connections() {
  const net::Executor loop = co_await net::current_executor();
  while (true) {
    const Result<> slept = co_await timers_.sleep_for(kIdleCheckInterval);
    if (!slept) co_return;
    client_.close_idle_connections(loop);
    kubelets_.close_idle_connections(loop);
  }
}

net::Task<> KubernetesBackend::stop_watching(std::move_only_function<void()> stopped) {
  co_await cache_.stop();
  co_await self_check_.stop();
  stopped();
}

workload::ClusterStatus KubernetesBackend::cluster_status() const {
  return kubernetes::cluster_status(*cache_.snapshot(), *self_check_.result(),
                                    kubelets_.refusals());
}

net::Task<Result<workload::WorkloadStatus>> KubernetesBackend::workload_status(
    const auth::Caller&, workload::WorkloadRef workload) {
  const std::shared_ptr<const ClusterSnapshot> snapshot = cache_.snapshot();
  co_return Resolver(*snapshot, mapping_).status(workload);
}

net::Task<Result<std::vector<workload::WorkloadStatus>>> KubernetesBackend::list_workloads(
    const auth::Caller&, std::string project) {
  const std::shared_ptr<const ClusterSnapshot> snapshot = cache_.snapshot();
  co_return Resolver(*snapshot, mapping_).list(project);
}

net::Task<Result<std::vector<workload::PodStatus>>> KubernetesBackend::list_pods(
    const auth::Caller&, workload::WorkloadRef workload) {
  const std::shared_ptr<const ClusterSnapshot> snapshot = cache_.snapshot();
  co_return Resolver(*snapshot, mapping_).pods(workload);
}

std::unique_ptr<ChangeWatch> KubernetesBackend::watch_project(const std::string& project,
                                                              net::Executor executor) {
  return cache_.changes().watch(namespace_of(project), executor);
}

net::Task<Result<workload::ContainerRef>> KubernetesBackend::resolve(const auth::Caller&,
                                                                     workload::WorkloadRef workload,
                                                                     Target target) {
  const std::shared_ptr<const ClusterSnapshot> snapshot = cache_.snapshot();
  co_return Resolver(*snapshot, mapping_).resolve(workload, target);
}

net::Task<Result<std::unique_ptr<LogStream>>> KubernetesBackend::open_log(
    const auth::Caller& caller, workload::ContainerRef container, LogOptions options) {
  CO_TRY(auto pod, co_await watch_pod(container.pod));
  co_return co_await log_sources_.open(caller, std::move(pod), std::move(container.container),
                                       options);
}

net::Task<Result<std::unique_ptr<RemoteProcess>>> KubernetesBackend::exec(
    const auth::Caller& caller, workload::ContainerRef container, ExecOptions options) {
  CO_TRY(auto pod, co_await watch_pod(container.pod));
  const StreamServices services = stream_services();
  auto as = impersonation_of(caller, config_.acting_as);
  co_return co_await open_exec(services, std::move(pod), std::move(container.container),
                               std::move(options), std::move(as));
}

net::Task<Result<std::unique_ptr<RemoteProcess>>> KubernetesBackend::attach(
    const auth::Caller& caller, workload::ContainerRef container, AttachOptions options) {
  CO_TRY(auto pod, co_await watch_pod(container.pod));
  const StreamServices services = stream_services();
  auto as = impersonation_of(caller, config_.acting_as);
  co_return co_await open_attach(services, std::move(pod), std::move(container.container), options,
                                 std::move(as));
}

net::Task<Result<std::unique_ptr<PortStream>>> KubernetesBackend::forward_port(
    const auth::Caller& caller, workload::ContainerRef container, std::uint16_t port) {
  CO_TRY(auto pod, co_await watch_pod(container.pod));
  const StreamServices services = stream_services();
  auto as = impersonation_of(caller, config_.acting_as);
  co_return co_await open_port(services, std::move(pod), port, std::move(as));
}

net::Task<Result<std::unique_ptr<PodWatch>>> KubernetesBackend::watch_pod(workload::PodRef pod) {
  const std::shared_ptr<const ClusterSnapshot> snapshot = cache_.snapshot();
  CO_TRY(std::shared_ptr<const PodRecord> found, Resolver(*snapshot, mapping_).find_pod(pod));
  const net::Executor executor = co_await net::current_executor();
  co_return cache_.watch(std::move(found), executor);
}

std::string KubernetesBackend::namespace_of(std::string_view project) const {
  return Resolver(*cache_.snapshot(), mapping_).namespace_of(project);
}

}  // namespace sluice::backend::kubernetes
