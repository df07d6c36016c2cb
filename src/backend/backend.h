// The seam between the gateway and a cluster, modelled on cri-streaming's Runtime: what there is,
// and four ways into a container. Implementations: backend/local (processes of this machine),
// backend/kubernetes (pods), testing/fake_backend.h.
//
// Any loop may call it, at the same time as others. A task runs on the loop that awaits it, and
// what it returns belongs to that loop. Cancelling a task gives up what it was doing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/caller.h"
#include "backend/change_signal.h"
#include "backend/options.h"
#include "backend/streams.h"
#include "net/task.h"
#include "workload/status.h"
#include "workload/workload_ref.h"

namespace sluice::backend {

class Backend {
 public:
  virtual ~Backend() = default;

  /// From memory: never waits for the cluster.
  virtual workload::ClusterStatus cluster_status() const = 0;

  /// Errors: NotFound (project), WorkloadNotFound, Unavailable.
  virtual net::Task<Result<workload::WorkloadStatus>> workload_status(
      const auth::Caller& caller, workload::WorkloadRef workload) = 0;

  /// Every workload of the project, in any order. Errors: NotFound (project), Unavailable.
  virtual net::Task<Result<std::vector<workload::WorkloadStatus>>> list_workloads(
      const auth::Caller& caller, std::string project) = 0;

  /// The workload's pods, in the order in which resolve() would prefer them: its default pod first.
  /// Errors: as workload_status().
  virtual net::Task<Result<std::vector<workload::PodStatus>>> list_pods(
      const auth::Caller& caller, workload::WorkloadRef workload) = 0;

  /// Wakes whenever something in the project may have changed since it was made: then list what
  /// there is now. On the loop of `executor`. The project need not exist.
  virtual std::unique_ptr<ChangeWatch> watch_project(const std::string& project,
                                                     net::Executor executor) = 0;

  /// Finds the pod and container that a request means. Errors: NotFound (project, pod or container,
  /// with the names there are; workload without pods), WorkloadNotFound, Unavailable.
  virtual net::Task<Result<workload::ContainerRef>> resolve(const auth::Caller& caller,
                                                            workload::WorkloadRef workload,
                                                            Target target) = 0;

  /// Errors: NotFound (no previous run), Unavailable.
  virtual net::Task<Result<std::unique_ptr<LogStream>>> open_log(const auth::Caller& caller,
                                                                 workload::ContainerRef container,
                                                                 LogOptions options) = 0;

  /// Errors: InvalidArgument (the command can't be started, where that is known at once), Conflict
  /// (terminating or finished), Unavailable.
  virtual net::Task<Result<std::unique_ptr<RemoteProcess>>> exec(const auth::Caller& caller,
                                                                 workload::ContainerRef container,
                                                                 ExecOptions options) = 0;

  /// Errors: Conflict (terminating or finished), Unavailable (stdin held by another session, or
  /// none).
  virtual net::Task<Result<std::unique_ptr<RemoteProcess>>> attach(const auth::Caller& caller,
                                                                   workload::ContainerRef container,
                                                                   AttachOptions options) = 0;

  /// Errors: Conflict; Unavailable ("connection refused"), which the session reports after the
  /// upgrade.
  virtual net::Task<Result<std::unique_ptr<PortStream>>> forward_port(
      const auth::Caller& caller, workload::ContainerRef container, std::uint16_t port) = 0;
};

}  // namespace sluice::backend
