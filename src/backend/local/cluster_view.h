// ClusterView: what there is, at one moment. The supervisor publishes one after each change; status
// and resolve read it from any loop. Immutable but for the deletion flags.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "backend/local/container_log.h"
#include "backend/local/local_process.h"
#include "backend/local/process_protocol.h"
#include "base/clock.h"
#include "workload/status.h"
#include "workload/workload_ref.h"

namespace sluice::backend::local {

enum class ContainerState {
  Waiting,  // to be started, the first time or again
  Running,
  Ending,  // its process has ended or is being stopped; what it wrote is still being stored
  Ended,   // and does not start again
};

enum class PodPhase { Pending, Running, Succeeded, Failed, Terminating };

/// What a further process of a container starts with.
struct ContainerSetting {
  std::vector<std::string> environment;
  std::string working_directory;
  std::optional<Credentials> credentials;  // absent: sluiced's own
};

struct ContainerView {
  std::string name;
  ContainerState state = ContainerState::Waiting;
  std::string reason;            // why it is not running; may be empty
  std::optional<int> exit_code;  // when Ended; 128 + n: killed by signal n
  int restarts = 0;
  std::optional<WallTime> started_at;               // the run now, or the last one
  std::shared_ptr<const ContainerSetting> setting;  // owners: the container and its views
  std::shared_ptr<ContainerLog> log;  // owners: the container, its views, open streams
};

struct PodView {
  workload::PodRef ref;
  PodPhase phase = PodPhase::Pending;
  std::string message;  // why it is not well; may be empty
  WallTime created_at;
  std::vector<ContainerView> containers;
  DeletedFlag deleted;
};

struct WorkloadView {
  workload::WorkloadRef ref;
  bool terminating = false;
  WallTime created_at;
  std::vector<std::shared_ptr<const PodView>> pods;  // by index; shared with earlier views
};

struct ClusterView {
  using Key = std::tuple<std::string, workload::WorkloadType, std::string>;  // project, type, name

  std::set<std::string> projects;
  std::map<Key, WorkloadView> workloads;

  /// Errors: NotFound (project), WorkloadNotFound; each says what there is.
  Result<const WorkloadView*> find(const workload::WorkloadRef& ref) const;
  /// Errors: NotFound (project).
  Result<std::vector<workload::WorkloadStatus>> list(const std::string& project) const;
};

/// Errors: NotFound, with the names there are.
Result<const PodView*> find_pod(const WorkloadView& workload, const std::string& name);
Result<const ContainerView*> find_container(const WorkloadView& workload, const PodView& pod,
                                            const std::string& name);

/// Phase, counts and message of the whole (contract section 9).
workload::WorkloadStatus status_of(const WorkloadView& workload);
/// Its pods by their index. `node`: this machine's name.
std::vector<workload::PodStatus> pods_of(const WorkloadView& workload, const std::string& node);

/// The newest view. The mutex is held for the copy of one pointer.
class PublishedView {
 public:
  std::shared_ptr<const ClusterView> get() const {
    const std::scoped_lock lock(mutex_);
    return view_;
  }
  void set(std::shared_ptr<const ClusterView> view) {
    const std::scoped_lock lock(mutex_);
    view_.swap(view);  // the old one is destroyed after the lock
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ClusterView> view_ = std::make_shared<ClusterView>();
};

}  // namespace sluice::backend::local
