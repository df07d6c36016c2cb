#include "backend/local/process_shim.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "backend/local/process_tree.h"
#include "backend/local/program_start.h"

namespace sluice::backend::local {
namespace {

// The shim has a life of its own beside sluiced, which may be gone: real time is meant here.
using ShimClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kHangUpGrace{5};
/// How soon a tree that is being killed is looked at again for processes born meanwhile.
constexpr std::chrono::milliseconds kKillInterval{10};

class Shim {
 public:
  Shim(SpawnRequest request, UniqueFd control, UniqueFd leash, UniqueFd signals, Cgroup cgroup)
      : request_(std::move(request)),
        control_(std::move(control)),
        leash_(std::move(leash)),
        signals_(std::move(signals)),
        cgroup_(std::move(cgroup)) {}

  void run(SpawnDescriptors descriptors);

 private:
  void wait();
  void read_control();
  void control_ended();
  bool anybody_left();
  /// False when no child is left.
  bool reap();
  void kill_tree() const;
  void report(ShimMessage message) const;
  void signal_tree(int signal) const { signal_all(descendants(children()), signal); }

  SpawnRequest request_;
  UniqueFd control_;
  UniqueFd leash_;
  UniqueFd signals_;
  Cgroup cgroup_;  // may be none
  pid_t program_ = -1;
  bool running_ = false;
  bool killing_ = false;
  std::optional<ShimClock::time_point> kill_at_;
};

void Shim::run(SpawnDescriptors descriptors) {
  const StartResult started = start_program(request_, std::move(descriptors), cgroup_);
  if (started.pid < 0) {
    return report({ShimEvent::Failed, started.failure.stage, started.failure.error_number});
  }
  program_ = started.pid;
  running_ = true;
  report({ShimEvent::Started, SpawnStage::Execute, program_});
  while (anybody_left()) {
    if (kill_at_ && ShimClock::now() >= *kill_at_) killing_ = true;
    if (killing_) kill_tree();
    wait();
  }
}

void Shim::wait() {
  // poll() skips negative descriptors.
  pollfd fds[] = {
      {signals_.get(), POLLIN, 0}, {control_.get(), POLLIN, 0}, {leash_.get(), POLLIN, 0}};
  int timeout = -1;
  if (killing_) {
    timeout = static_cast<int>(kKillInterval.count());
  } else if (kill_at_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*kill_at_ - ShimClock::now());
    timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }
  if (::poll(fds, std::size(fds), timeout) <= 0) return;
  if (fds[0].revents != 0) {
    signalfd_siginfo seen;
    (void)!::read(signals_.get(), &seen, sizeof seen);  // what there is to know, reap() finds
  }
  if (fds[1].revents != 0) read_control();
  if (fds[2].revents != 0) {
    leash_.reset();
    killing_ = true;
  }
}

void Shim::read_control() {
  OwnerMessage message;
  const ssize_t count = ::recv(control_.get(), &message, sizeof message, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count != sizeof message) return control_ended();
  switch (message.command) {
    case OwnerCommand::SignalTree: return signal_tree(message.value);
    case OwnerCommand::KillTree: killing_ = true;
  }
}

void Shim::control_ended() {
  control_.reset();
  if (!running_) {  // what it left behind lives until the leash ends
    killing_ = killing_ || !leash_;
    return;
  }
  switch (request_.end_policy) {
    case EndPolicy::Kill: killing_ = true; return;
    case EndPolicy::HangUp:
      signal_tree(SIGHUP);
      signal_tree(SIGCONT);  // so that stopped ones get it
      kill_at_ = ShimClock::now() + kHangUpGrace;
      return;
    case EndPolicy::Leave: killing_ = killing_ || !leash_; return;
  }
}

bool Shim::anybody_left() {
  if (reap()) return true;
  if (!cgroup_.is_populated()) return false;
  // Its parent died in another PID namespace, whose first process adopted it. We lost it.
  killing_ = true;
  return true;
}

void Shim::kill_tree() const {
  cgroup_.kill();
  kill_descendants();  // those with the right to do so may have moved to another cgroup
}

bool Shim::reap() {
  while (true) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0) return errno != ECHILD;
    if (pid == 0) return true;
    if (pid != program_ || !running_) continue;
    running_ = false;
    killing_ = killing_ || request_.kill_rest;
    report(WIFSIGNALED(status)
               ? ShimMessage{ShimEvent::Killed, SpawnStage::Execute, WTERMSIG(status)}
               : ShimMessage{ShimEvent::Exited, SpawnStage::Execute, WEXITSTATUS(status)});
  }
}

void Shim::report(ShimMessage message) const {
  // Fails when the owner has gone: nobody wants to know.
  (void)::send(control_.get(), &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

void run_shim(SpawnRequest request, UniqueFd control, SpawnDescriptors descriptors, Cgroup cgroup) {
  ::prctl(PR_SET_NAME, "sluice-shim");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  UniqueFd leash = std::move(descriptors.leash);
  Shim shim(std::move(request), std::move(control), std::move(leash), prepare_reaper_signals(),
            std::move(cgroup));
  shim.run(std::move(descriptors));
}

UniqueFd prepare_reaper_signals() {
  sigset_t blocked;
  ::sigfillset(&blocked);
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  return UniqueFd(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace sluice::backend::local
