// FakeBackend: a cluster in memory, for the unit tests of session and gateway. A test adds pods,
// scripts their logs, programs and ports (fake_streams.h), takes pods away, and looks at what it
// was asked. Passes backend/conformance.h like the real ones. One loop; no task of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "testing/fake_streams.h"

namespace sluice::testing {

enum class PodState { Running, Finished, Terminating };

class FakeBackend final : public backend::Backend {
 public:
  struct Container {
    std::string name;
    std::shared_ptr<FakeLog> log;           // of the run now; shared with open streams
    std::shared_ptr<FakeLog> previous_log;  // null: no run before
    /// What attach joins; null until add_pod or the test sets one. `stdin_open`: it has a stdin.
    std::shared_ptr<FakeProcess> main;
    bool stdin_open = false;
    bool stdin_held = false;  // by an attach that is still open
  };
  struct Pod {
    workload::PodRef ref;
    PodState state = PodState::Running;
    std::vector<std::unique_ptr<Container>> containers;
    Container& container(std::string_view name = {});
  };
  /// Starts what exec asks for. Errors: InvalidArgument, to say that there is no such command.
  using Program =
      std::function<Result<std::shared_ptr<FakeProcess>>(const backend::ExecOptions& options)>;
  /// Answers a connection. Errors: Unavailable "connection refused".
  using Listener = std::function<Result<std::shared_ptr<FakePort>>()>;

  explicit FakeBackend(net::Executor executor);
  ~FakeBackend() override;

  /// A workload without pods, and pods for it (made if it isn't there). `containers` may be empty:
  /// one, named as the workload. The backend owns what it returns, for ever.
  void add_workload(workload::WorkloadRef ref, std::string phase = "Running");
  Pod& add_pod(const workload::WorkloadRef& ref, std::string name,
               std::vector<std::string> containers = {});
  void set_phase(const workload::WorkloadRef& ref, std::string phase);
  void remove_workload(const workload::WorkloadRef& ref);
  /// Ends its logs, processes and connections as deletion does.
  void delete_pod(std::string_view name);
  /// Its container ends with this code: logs and attaches end, exec is refused.
  void finish_pod(std::string_view name, int exit_code);

  /// argv[0] → program. There are already: cat, true, false, yes; and "sh -c TEXT" for `scripts`.
  std::map<std::string, Program, std::less<>> programs;
  /// TEXT of "sh -c TEXT" → program.
  std::map<std::string, Program, std::less<>> scripts;
  /// Ports that listen; all others refuse.
  std::map<std::uint16_t, Listener> ports;

  /// Projects that are there without a workload.
  std::set<std::string> projects;

  workload::ClusterStatus status;
  /// Set: exec never answers.
  bool exec_hangs = false;
  /// Set: every operation but cluster_status() fails with it.
  std::optional<Error> failure;

  // What it was asked, in order.
  std::vector<std::string> callers;
  std::vector<backend::LogOptions> logs_opened;
  std::vector<backend::ExecOptions> execs;
  std::vector<backend::AttachOptions> attaches;
  std::vector<std::uint16_t> ports_dialled;
  /// Processes and connections that were started; shared with their streams.
  std::vector<std::shared_ptr<FakeProcess>> processes;
  std::vector<std::shared_ptr<FakePort>> connections;

  workload::ClusterStatus cluster_status() const override { return status; }
  net::Task<Result<workload::WorkloadStatus>> workload_status(
      const auth::Caller& caller, workload::WorkloadRef workload) override;
  net::Task<Result<std::vector<workload::WorkloadStatus>>> list_workloads(
      const auth::Caller& caller, std::string project) override;
  net::Task<Result<std::vector<workload::PodStatus>>> list_pods(
      const auth::Caller& caller, workload::WorkloadRef workload) override;
  std::unique_ptr<backend::ChangeWatch> watch_project(const std::string& project,
                                                      net::Executor executor) override;
  net::Task<Result<workload::ContainerRef>> resolve(const auth::Caller& caller,
                                                    workload::WorkloadRef workload,
                                                    backend::Target target) override;
  net::Task<Result<std::unique_ptr<backend::LogStream>>> open_log(
      const auth::Caller& caller, workload::ContainerRef container,
      backend::LogOptions options) override;
  net::Task<Result<std::unique_ptr<backend::RemoteProcess>>> exec(
      const auth::Caller& caller, workload::ContainerRef container,
      backend::ExecOptions options) override;
  net::Task<Result<std::unique_ptr<backend::RemoteProcess>>> attach(
      const auth::Caller& caller, workload::ContainerRef container,
      backend::AttachOptions options) override;
  net::Task<Result<std::unique_ptr<backend::PortStream>>> forward_port(
      const auth::Caller& caller, workload::ContainerRef container, std::uint16_t port) override;

 private:
  struct Workload {
    workload::WorkloadRef ref;
    std::string phase;
    std::vector<std::unique_ptr<Pod>> pods;
  };
  static workload::WorkloadStatus status_of(const Workload& workload);
  Result<> admit(const auth::Caller& caller);
  Result<Workload*> find_workload(const workload::WorkloadRef& ref);
  Result<std::pair<Pod*, Container*>> find(const workload::ContainerRef& ref);
  Result<std::shared_ptr<FakeProcess>> start(const backend::ExecOptions& options);

  net::Executor executor_;
  backend::ChangeSignal changes_;
  std::vector<std::unique_ptr<Workload>> workloads_;
  std::vector<std::unique_ptr<Pod>> deleted_;  // open attachments still point there
  // What runs in which pod, by the pod's uid.
  std::multimap<std::string, std::shared_ptr<FakeProcess>> processes_of_;
  std::multimap<std::string, std::shared_ptr<FakePort>> connections_of_;
  int next_uid_ = 1;
};

}  // namespace sluice::testing
