// Supervisor: makes the processes of this machine what the workloads file says, on a loop of its
// own, and publishes what there is. Sessions on other loops read the view, or ask it to tie
// something to a pod.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/change_signal.h"
#include "backend/local/cluster_view.h"
#include "backend/local/pod.h"
#include "backend/local/remote_call.h"
#include "backend/local/state_directory.h"
#include "backend/local/workloads_file.h"
#include "base/random.h"
#include "net/event_loop.h"
#include "observe/metrics.h"

namespace sluice::backend::local {

struct SupervisorConfig {
  std::string workloads_file;
  std::vector<std::string> environment;  // sluiced's own, as "NAME=value"
  Metrics* metrics = nullptr;            // may be null
};

class Supervisor {
 public:
  /// References outlive it.
  Supervisor(SupervisorConfig config, StateDirectory directory, net::EventLoop& loop,
             ProcessHost& host, net::Timers& timers, Random& random);
  /// After stop() has completed and the loop has ended.
  ~Supervisor();

  /// What there shall be, the first time. Call it before the loop runs, or on it.
  void start(WorkloadsFile file);
  /// Rereads the file. Any thread.
  void reload();
  /// Ends everything; see LocalBackend::stop().
  net::Task<> stop();

  std::shared_ptr<const ClusterView> view() const { return published_.get(); }
  /// Tells of each new view, whatever project it concerns.
  ChangeSignal& changes() { return changes_; }
  ProcessHost& host() { return host_; }
  net::Timers& timers() { return timers_; }

  /// Closed when the container's run ends, or at once when it is not running. Any thread.
  void hold_leash(const workload::ContainerRef& container, UniqueFd leash);
  /// Reads them to their end and forgets what they say. Any thread.
  void drain_outputs(std::vector<UniqueFd> outputs);
  /// Shut down when the pod is removed, or at once when it was. Any thread.
  void watch_port(const workload::PodRef& pod, std::shared_ptr<PortLink> link);
  /// Errors: as Container::attach().
  net::Task<Result<AttachGrant>> attach(workload::ContainerRef container, StreamOptions options);

 private:
  struct Workload {
    WorkloadSpec spec;
    bool terminating = false;
    WallTime created_at;
    std::vector<std::unique_ptr<Pod>> pods;
  };
  using Key = ClusterView::Key;

  net::Task<> drain_output(UniqueFd output);
  void reread();
  void apply(WorkloadsFile file);
  /// One step towards what is desired of this workload; comes back to it when a stop completes.
  void reconcile(const Key& key);
  void start_workload(const Key& key, const WorkloadSpec& spec);
  net::Task<> stop_workload(Key key);
  net::Task<> abandon_after_timeout();
  net::Task<> finish_stop(std::shared_ptr<Reply<bool>> reply);
  void end_everything(std::shared_ptr<Reply<bool>> reply);
  void reply_when_idle(std::shared_ptr<Reply<bool>> reply);
  std::string new_uid();
  Pod* find_pod_by_uid(const workload::PodRef& ref);
  Container* find(const workload::ContainerRef& ref);
  /// Publishes once per turn of the loop.
  void changed();
  void publish();

  SupervisorConfig config_;
  StateDirectory directory_;
  net::EventLoop& loop_;
  ProcessHost& host_;
  net::Timers& timers_;
  Random& random_;
  std::vector<std::byte> scratch_;
  net::TaskGroup attachments_;
  net::TaskGroup workload_stops_;
  net::TaskGroup stop_;
  std::set<std::string> projects_;
  std::map<Key, WorkloadSpec> desired_;
  std::map<Key, Workload> workloads_;
  PublishedView published_;
  ChangeSignal changes_;
  bool publish_pending_ = false;
  bool stopping_ = false;
};

}  // namespace sluice::backend::local
