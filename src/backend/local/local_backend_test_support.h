// A local backend with real processes for tests, on one loop and virtual time.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "backend/local/local_backend.h"
#include "backend/local/process_test_support.h"
#include "base/bytes.h"
#include "base/file.h"
#include "testing/temporary_folder.h"
#include "testing/virtual_clock.h"

namespace sluice::backend::local {

class LocalBackendTest : public ProcessTest {
 protected:
  LocalBackendTest() : host_(*ProcessHost::start({})), clock_(loop_) {}

  void TearDown() override {
    if (backend_) run(loop_, backend_->stop());
    loop_.context().poll();
    backend_.reset();
    ProcessTest::TearDown();
  }

  /// The workloads of project `p`, as YAML list items in flow style.
  void write_workloads(const std::string& items) {
    const std::string text = "projects: {p: [" + items + "]}\n";
    ASSERT_TRUE(write_file_atomically(directory_ / "workloads.yaml", text, 0600));
  }
  /// One training workload `w` whose only container runs `script` in a shell; `more` is further
  /// keys.
  static std::string workload(const std::string& script, const std::string& more = {},
                              const std::string& name = "w", int replicas = 1) {
    return "{name: " + name +
           ", type: training, framework: runai, replicas: " + std::to_string(replicas) +
           ", containers: [{command: [/bin/sh, -c, '" + script + "']" + more + "}]}";
  }
  Result<> try_start() {
    LocalBackendConfig config{directory_ / "workloads.yaml",
                              directory_ / "state",
                              {"PATH=/usr/bin:/bin", "HOME=/root", "SECRET=1"}};
    TRY(backend_, LocalBackend::start(std::move(config), loop_, {&loop_}, host_, clock_, random_));
    return {};
  }
  void start(const std::string& items) {
    write_workloads(items);
    const Result<> started = try_start();
    ASSERT_TRUE(started) << started.error().message;
  }

  static workload::WorkloadRef ref(const std::string& name = "w") {
    return {"p", workload::WorkloadType::Training, workload::Framework::Any, name};
  }
  Result<workload::WorkloadStatus> status(const std::string& name = "w") {
    return run(loop_, backend_->workload_status(caller_, ref(name)));
  }
  std::string phase(const std::string& name = "w") {
    const Result<workload::WorkloadStatus> result = status(name);
    return result ? result->phase : "gone";
  }
  /// Runs the loop until the workload is in that phase ("gone": not there).
  void wait_phase(const std::string& wanted, const std::string& name = "w") {
    while (phase(name) != wanted) run_some();
  }
  /// Lets something happen. Asking for a phase runs the loop, too, and may take the last event
  /// away: so this does not wait for one for ever.
  void run_some() {
    loop_.context().restart();
    loop_.context().run_one_for(milliseconds(20));
  }
  Result<workload::ContainerRef> resolve(Target target = {}, const std::string& name = "w") {
    return run(loop_, backend_->resolve(caller_, ref(name), std::move(target)));
  }
  Result<std::unique_ptr<RemoteProcess>> exec(ExecOptions options) {
    return run(loop_, backend_->exec(caller_, *resolve(), std::move(options)));
  }
  Result<std::unique_ptr<RemoteProcess>> attach(AttachOptions options) {
    return run(loop_, backend_->attach(caller_, *resolve(), std::move(options)));
  }
  static ExecOptions shell_command(const std::string& script) {
    ExecOptions options;
    options.command = {"/bin/sh", "-c", script};
    return options;
  }

  struct Outputs {
    std::string out;
    std::string err;
  };
  static net::Task<Outputs> read_all(RemoteProcess& process, std::size_t limit) {
    Outputs outputs;
    std::array<std::byte, 4096> buffer;
    const MutableBytes into(buffer);  // GCC 12 miscompiles a conversion inside the co_await
    while (outputs.out.size() + outputs.err.size() < limit) {
      const Result<ProcessOutput> part = co_await process.read(into);
      if (!part || part->size == 0) break;
      const std::string_view text = as_text(Bytes(buffer).first(part->size));
      (part->channel == OutputChannel::Stdout ? outputs.out : outputs.err) += text;
    }
    co_return outputs;
  }
  Outputs outputs(RemoteProcess& process, std::size_t limit = std::string::npos) {
    return run(loop_, read_all(process, limit));
  }
  std::string output(RemoteProcess& process) { return outputs(process).out; }
  /// At least that many bytes of output.
  std::string output(RemoteProcess& process, std::size_t size) {
    return outputs(process, size).out;
  }
  ProcessExit wait_exit(RemoteProcess& process) { return *run(loop_, process.wait()); }
  int exit_code(RemoteProcess& process) {
    const ProcessExit exit = wait_exit(process);
    return std::holds_alternative<Exited>(exit) ? std::get<Exited>(exit).code : -1;
  }
  void write(RemoteProcess& process, std::string_view text) {
    EXPECT_TRUE(run(loop_, process.write(as_bytes(text))));
  }

  testing::TemporaryFolder directory_;
  ProcessHost host_;
  net::EventLoop loop_;
  testing::VirtualClock clock_;
  OsRandom random_;
  auth::Caller caller_;
  std::unique_ptr<LocalBackend> backend_;
};

}  // namespace sluice::backend::local
