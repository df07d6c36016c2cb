// The local backend under the suite that every backend passes, with real processes.
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>

#include "backend/local/bound_socket_test_support.h"
#include "backend/local/local_backend.h"
#include "backend/local/local_backend_test_support.h"
#include "testing/backend_conformance.h"

namespace sluice::backend::local {
namespace {

using sluice::testing::conformance_caller;
using sluice::testing::conformance_workload;

constexpr const char* kWorkloads = R"(
projects:
  p:
    - {name: talker, type: training, framework: runai, containers: [
        {command: [sh, -c, 'printf "one\ntwo\nthree\n"; exec sleep 1000']}]}
    - {name: finished, type: training, framework: runai, containers: [{command: [echo, done]}]}
    - {name: echoing, type: training, framework: runai, containers: [{command: [cat], stdin: true}]}
    - {name: waiting, type: training, framework: runai, replicas: 0, containers: [{command: [cat]}]}
)";

/// One connection after the other, in a process of its own.
class EchoServer {
 public:
  EchoServer() : socket_(listen_on_loopback()), pid_(::fork()) {
    while (pid_ == 0) {
      const UniqueFd peer(::accept(socket_.fd.get(), nullptr, nullptr));
      char buffer[256];
      for (ssize_t count = 0; (count = ::read(peer.get(), buffer, sizeof buffer)) > 0;) {
        (void)!::write(peer.get(), buffer, static_cast<std::size_t>(count));
      }
    }
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;
  ~EchoServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::uint16_t port() const { return socket_.port; }

 private:
  BoundSocket socket_;
  pid_t pid_;
};

class LocalBed final {
 public:
  LocalBed() : host_(*ProcessHost::start({})) {
    EXPECT_TRUE(write_file_atomically(directory_ / "workloads.yaml", kWorkloads, 0600));
    LocalBackendConfig config{
        directory_ / "workloads.yaml", directory_ / "state", {"PATH=/usr/bin:/bin"}};
    backend_ = *LocalBackend::start(std::move(config), loop_, {&loop_}, host_, timers_, random_);
    wait_phase("talker", "Running");
    wait_phase("echoing", "Running");
    wait_phase("finished", "Completed");
    const LogOptions follow{.follow = true, .since = {}, .tail_lines = {}, .limit_bytes = 14};
    const auto talker =
        *run(loop_, backend_->resolve(conformance_caller(), conformance_workload("talker"), {}));
    const auto log = *run(loop_, backend_->open_log(conformance_caller(), talker, follow));
    EXPECT_TRUE(run(loop_, sluice::testing::read_log(*log)));
  }
  ~LocalBed() {
    run(loop_, backend_->stop());
    sluice::testing::run_until_idle(loop_);
  }
  LocalBed(const LocalBed&) = delete;
  LocalBed& operator=(const LocalBed&) = delete;

  net::EventLoop& loop() { return loop_; }
  backend::Backend& backend() { return *backend_; }
  std::uint16_t echo_port() const { return echo_.port(); }
  std::uint16_t closed_port() const { return closed_.port; }

 private:
  void wait_phase(const std::string& name, const std::string& phase) {
    const auto caller = conformance_caller();
    const auto ref = conformance_workload(name);
    while (run(loop_, backend_->workload_status(caller, ref))->phase != phase) {
      loop_.context().restart();
      loop_.context().run_one_for(milliseconds(20));
    }
  }

  testing::TemporaryFolder directory_;
  EchoServer echo_;
  ProcessHost host_;
  BoundSocket closed_ = bind_to_loopback();  // held, lest another program listens there
  net::EventLoop loop_;
  net::SystemTimers timers_;
  OsRandom random_;
  std::unique_ptr<LocalBackend> backend_;
};

}  // namespace
}  // namespace sluice::backend::local

namespace sluice::testing {
INSTANTIATE_TYPED_TEST_SUITE_P(Local, BackendConformance, backend::local::LocalBed);
}  // namespace sluice::testing
