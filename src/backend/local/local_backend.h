// The embedded default backend: workloads of a YAML file, run as processes of this machine. Wires
// the supervisor (its own thread) to what sessions ask for (their own loops). Contract section 9.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/local/process_host.h"
#include "backend/loop_tasks.h"
#include "backend/managed_backend.h"
#include "base/random.h"
#include "net/event_loop.h"
#include "net/timers.h"
#include "observe/metrics.h"

namespace sluice::backend::local {

class Supervisor;

struct LocalBackendConfig {
  std::string workloads_file;
  std::string state_dir;
  /// sluiced's own environment as "NAME=value"; a container gets only the allowed names of it.
  std::vector<std::string> environment;
  Metrics* metrics = nullptr;  // counts restarts; may be null, outlives the backend
};

class LocalBackend final : public ManagedBackend {
 public:
  /// Reads the file, takes `state_dir` for itself and prepares the workloads, which start once
  /// `loop` runs. `loop` gets a thread of its own (log writes must not stall sessions) from here
  /// until stop() has completed; main owns both. `sessions` are all loops that ports are forwarded
  /// on; they run, too, while it is to be stopped. Loops, `host`, `timers` and `random` outlive the
  /// backend. Ignores SIGPIPE in the whole program. Errors: InvalidArgument (the file: file, line,
  /// key, hint), Unavailable (stateDir not usable or used by another server); both are exit code 2.
  static Result<std::unique_ptr<LocalBackend>> start(LocalBackendConfig config,
                                                     net::EventLoop& loop,
                                                     const std::vector<net::EventLoop*>& sessions,
                                                     ProcessHost& host, net::Timers& timers,
                                                     Random& random);
  /// For --check: whether the workloads file is valid. Starts nothing.
  static Result<> check(const std::string& workloads_file);

  /// After stop() has completed, and after `loop` has ended.
  ~LocalBackend() override;

  /// At once: it has read its workloads when it starts.
  net::Task<Result<>> ready() override;
  /// New workloads start, removed ones stop, changed ones restart.
  void reload() override;
  /// Stops every workload: SIGTERM, 10 s, SIGKILL; 15 s at most in all. On one of `sessions`, after
  /// the last of them has ended, while all loops run.
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
  LocalBackend(std::unique_ptr<Supervisor> supervisor,
               const std::vector<net::EventLoop*>& sessions);

  std::unique_ptr<Supervisor> supervisor_;
  LoopTasks tasks_;
};

}  // namespace sluice::backend::local
