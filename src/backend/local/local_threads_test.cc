// The local backend as sluiced runs it: the supervisor on a thread of its own, sessions on two
// others.
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "backend/local/local_backend_test_support.h"

namespace sluice::backend::local {
namespace {

constexpr int kExecsPerLoop = 50;
constexpr const char* kWorkloads =
    "projects: {p: [{name: w, type: training, framework: runai, containers: "
    "[{command: [cat], stdin: true}]}]}";

/// One session: a process that says something and ends with a code of its own.
net::Task<> run_exec(Backend& backend, workload::ContainerRef container, int code, int& succeeded) {
  const auth::Caller caller;
  ExecOptions options;
  options.command = {"/bin/sh", "-c", "echo hello; exit " + std::to_string(code)};
  const auto process = co_await backend.exec(caller, container, options);
  if (!process) co_return;
  std::array<std::byte, 64> buffer;
  const MutableBytes into(buffer);
  std::string text;
  while (true) {
    const Result<ProcessOutput> part = co_await (*process)->read(into);
    if (!part || part->size == 0) break;
    text += as_text(into.first(part->size));
  }
  const Result<ProcessExit> end = co_await (*process)->wait();
  if (!end || text != "hello\n") co_return;
  const auto* const exited = std::get_if<Exited>(&*end);
  if (exited != nullptr && exited->code == code) ++succeeded;
}

int run_execs(Backend& backend, const workload::ContainerRef& container) {
  net::EventLoop loop;
  net::TaskGroup group(loop.executor());
  int succeeded = 0;
  for (int code = 0; code < kExecsPerLoop; ++code) {
    group.spawn("exec", run_exec(backend, container, code, succeeded));
  }
  testing::run_until_empty(loop, group);
  return succeeded;
}

TEST(LocalThreads, HundredExecsOnTwoLoopsBesideAReload) {
  ::alarm(60);
  testing::TemporaryFolder directory;
  ASSERT_TRUE(write_file_atomically(directory / "workloads.yaml", kWorkloads, 0600));
  ProcessHost host = *ProcessHost::start({});
  net::EventLoop supervisor_loop;
  net::EventLoop loop;
  net::SystemTimers timers;
  OsRandom random;
  LocalBackendConfig config{directory / "workloads.yaml", directory / "state", {}};
  const auto backend =
      *LocalBackend::start(std::move(config), supervisor_loop, {&loop}, host, timers, random);
  std::thread supervisor([&] { supervisor_loop.run(); });

  const auth::Caller caller;
  const workload::WorkloadRef ref{"p", workload::WorkloadType::Training, workload::Framework::Runai,
                                  "w"};
  while (run(loop, backend->workload_status(caller, ref))->phase != "Running") {
    std::this_thread::yield();
  }
  const workload::ContainerRef container = *run(loop, backend->resolve(caller, ref, {}));
  int elsewhere = 0;
  std::thread other([&] { elsewhere = run_execs(*backend, container); });
  backend->reload();
  EXPECT_EQ(run_execs(*backend, container), kExecsPerLoop);
  other.join();
  EXPECT_EQ(elsewhere, kExecsPerLoop);

  AttachOptions with_stdin;
  with_stdin.stdin = true;
  const auto attached = *run(loop, backend->attach(caller, container, with_stdin));
  ASSERT_TRUE(run(loop, attached->write(as_bytes("echo\n"))));
  std::array<std::byte, 64> buffer;
  EXPECT_EQ(run(loop, attached->read(buffer))->size, 5u);

  run(loop, backend->stop());
  EXPECT_TRUE(std::holds_alternative<ProcessDeleted>(*run(loop, attached->wait())));
  supervisor_loop.stop();
  supervisor.join();
  ::alarm(0);
}

}  // namespace
}  // namespace sluice::backend::local
