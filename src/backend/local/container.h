// Container: the life of one container of one pod, on the supervisor's loop: start, store what it
// writes, restart by policy, stop. Its processes run under a shim (process_host.h).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backend/local/attachment.h"
#include "backend/local/cluster_view.h"
#include "backend/local/process_host.h"
#include "backend/local/restart_policy.h"
#include "net/event.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "observe/metrics.h"

namespace sluice::backend::local {

/// What all containers share; references outlive them.
struct ContainerServices {
  net::Executor executor;
  ProcessHost& host;
  net::Timers& timers;
  net::TaskGroup& attachments;   // outlives the containers: a slow attach may read on
  std::span<std::byte> scratch;  // for reading; used between suspensions only
  Metrics* metrics = nullptr;    // may be null
};

/// Between SIGTERM and SIGKILL. (GCC 12 miscompiles a co_await whose argument is converted from
/// seconds.)
inline constexpr nanoseconds kStopGrace = seconds(10);

class Container {
 public:
  /// `changed` is called after each change of what view(), failed() or message() tell.
  Container(const ContainerServices& services, std::string pod, ContainerSpec spec,
            ContainerSetting setting, std::shared_ptr<ContainerLog> log, DeletedFlag deleted,
            std::function<void()> changed);

  /// Completes when it has ended for good: by itself, after request_stop(), or cancelled. Once.
  net::Task<> run();
  /// SIGTERM to the tree, SIGKILL after kStopGrace; no more restarts.
  void request_stop();

  ContainerView view() const;
  const std::string& name() const { return spec_.name; }
  ContainerState state() const { return state_; }
  /// Whether it ever ran; and, when Ended, whether that was a failure.
  bool was_started() const { return was_started_; }
  bool failed() const { return failed_; }
  /// The program could not be started, and is not tried again.
  bool failed_to_start() const { return failed_to_start_; }
  /// Why it is not running; empty when all is well.
  const std::string& message() const { return message_; }

  /// Ties an exec to this run: closed, and so killed, when it ends.
  void hold_leash(UniqueFd leash);
  /// Errors: Conflict (not running), Unavailable (stdin held, or none).
  Result<AttachGrant> attach(const StreamOptions& options);

 private:
  struct Streams {
    SpawnDescriptors child;
    UniqueFd stdout;
    UniqueFd stderr;
  };

  net::Task<> run_once();
  Result<Streams> open_streams();
  SpawnRequest spawn_request() const;
  net::Task<> follow_process(Streams streams);
  net::Task<> drain(net::TaskGroup& pumps);
  net::Task<> pump(UniqueFd fd, OutputChannel channel);
  net::Task<Result<>> wait_for_attachments(OutputChannel channel);
  net::Task<> wait_before_restart(nanoseconds wait);
  net::Task<> kill_after_grace();
  net::Task<> wake_at(MonotonicTime deadline);
  net::Task<> watch_leash(UniqueFd leash);
  void begin_termination();
  void start_failed(const Error& error);
  void process_ended(ShimMessage end);
  void finish_attachments(ShimMessage end);
  bool input_is_held() const;
  void set_state(ContainerState state);

  ContainerServices services_;
  std::string pod_;  // its name, for the log
  ContainerSpec spec_;
  std::shared_ptr<const ContainerSetting> setting_;
  std::shared_ptr<ContainerLog> log_;
  DeletedFlag deleted_;
  std::function<void()> changed_;

  ContainerState state_ = ContainerState::Waiting;
  std::string message_;
  bool was_started_ = false;
  bool failed_ = false;
  bool failed_to_start_ = false;
  int exit_code_ = 0;  // of the last run; 128 + n: killed by signal n
  int restarts_ = 0;
  std::optional<WallTime> started_at_;
  bool stopping_ = false;
  bool draining_ = false;  // the process is gone: attaches no longer hold the reading back

  std::optional<ProcessControl> process_;
  UniqueFd input_;  // of the running process, when the file says stdin: true; a terminal's master
  UniqueFd terminal_;                                     // master, when the file says tty: true
  std::vector<std::shared_ptr<Attachment>> attachments_;  // shared with their own tasks
  net::Event wake_;
  net::TaskGroup tasks_;    // of the whole life
  net::TaskGroup leashes_;  // of one run
};

}  // namespace sluice::backend::local
