// The distributed engine's backend: a Kubernetes cluster behind its API server. It keeps nothing
// but what can be learned anew, so any number of gateways can stand in front of one cluster.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/authorizer.h"
#include "backend/kubernetes/api/access_review_authorizer.h"
#include "backend/kubernetes/cache/cluster_cache.h"
#include "backend/kubernetes/config.h"
#include "backend/kubernetes/logs/kubelets.h"
#include "backend/kubernetes/logs/log_sources.h"
#include "backend/kubernetes/self_check.h"
#include "backend/kubernetes/streams/stdin_holds.h"
#include "backend/kubernetes/streams/streams.h"
#include "backend/loop_tasks.h"
#include "backend/managed_backend.h"
#include "net/event_loop.h"

namespace sluice::backend::kubernetes {

class KubernetesBackend final : public ManagedBackend {
 public:
  /// Reads the kubeconfig (or the pod's service account) and the mapping, and begins to watch the
  /// cluster once `loop` runs; a cluster that can't be reached is no error. `sessions` are all
  /// loops that requests come from. None of the loops runs yet, and while all run it is to be
  /// stopped. Loops, `timers` and `random` outlive it. Errors: InvalidArgument (what the files
  /// say).
  static Result<std::unique_ptr<KubernetesBackend>> start(KubernetesConfig config,
                                                          net::EventLoop& loop,
                                                          std::vector<net::EventLoop*> sessions,
                                                          net::Timers& timers, Random& random);
  /// For --check: whether the files are valid. Asks no cluster.
  static Result<> check(const KubernetesConfig& config, net::Timers& timers);

  ~KubernetesBackend() override;

  /// The cluster's own answer to what callers may do; lives as long as the backend.
  auth::Authorizer& authorizer() { return authorizer_; }

  /// Completes when the first answer about each kind is there. Looks every now and then: it happens
  /// once.
  net::Task<Result<>> ready() override;
  void reload() override;
  net::Task<> stop() override;

  workload::ClusterStatus cluster_status() const override;
  net::Task<Result<workload::WorkloadStatus>> workload_status(
      const auth::Caller& caller, workload::WorkloadRef workload) override;
  net::Task<Result<std::vector<workload::WorkloadStatus>>> list_workloads(
      const auth::Caller& caller, std::string project) override;
  net::Task<Result<std::vector<workload::PodStatus>>> list_pods(
      const auth::Caller& caller, workload::WorkloadRef workload) override;
  std::unique_ptr<ChangeWatch> watch_project(const std::string& project,
                                             net::Executor executor) override;
  net::Task<Result<workload::ContainerRef>> resolve(const auth::Caller& caller,
                                                    workload::WorkloadRef workload,
                                                    Target target) override;
  net::Task<Result<std::unique_ptr<LogStream>>> open_log(const auth::Caller& caller,
                                                         workload::ContainerRef container,
                                                         LogOptions options) override;
  net::Task<Result<std::unique_ptr<RemoteProcess>>> exec(const auth::Caller& caller,
                                                         workload::ContainerRef container,
                                                         ExecOptions options) override;
  net::Task<Result<std::unique_ptr<RemoteProcess>>> attach(const auth::Caller& caller,
                                                           workload::ContainerRef container,
                                                           AttachOptions options) override;
  net::Task<Result<std::unique_ptr<PortStream>>> forward_port(const auth::Caller& caller,
                                                              workload::ContainerRef container,
                                                              std::uint16_t port) override;

 private:
  KubernetesBackend(KubernetesConfig config, std::unique_ptr<ClusterAccess> access, Mapping mapping,
                    net::EventLoop& loop, const std::vector<net::EventLoop*>& sessions,
                    net::Timers& timers, Random& random);
  /// Follows the pod that resolve() found, on the calling loop. Errors: NotFound: it is gone
  /// meanwhile.
  net::Task<Result<std::unique_ptr<PodWatch>>> watch_pod(workload::PodRef pod);
  StreamServices stream_services() {
    return {client_, tasks_, timers_, stdin_holds_, config_.ping_interval};
  }
  std::string namespace_of(std::string_view project) const;
  net::Task<> close_idle_connections();
  net::Task<> stop_watching(std::move_only_function<void()> stopped);

  KubernetesConfig config_;
  std::unique_ptr<ClusterAccess> access_;
  const Mapping mapping_;
  net::EventLoop& loop_;
  net::Timers& timers_;
  ApiClient client_;
  Kubelets kubelets_;
  ClusterCache cache_;
  SelfCheck self_check_;
  AccessReviewAuthorizer authorizer_;
  LogSources log_sources_;
  StdinHolds stdin_holds_;
  LoopTasks tasks_;
  net::TaskGroup stopping_;  // on loop_
};

}  // namespace sluice::backend::kubernetes
