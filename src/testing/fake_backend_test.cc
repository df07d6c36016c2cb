#include "testing/fake_backend.h"

#include <gtest/gtest.h>

#include "testing/backend_conformance.h"

namespace sluice::testing {
namespace {

/// What backend_conformance.h asks for, in memory.
class FakeBed final {
 public:
  FakeBed() : backend_(loop_.executor()) {
    auto& talker = backend_.add_pod(conformance_workload("talker"), "talker-0-0");
    for (const char* line : {"one\n", "two\n", "three\n"}) talker.container().log->append(line);

    backend_.add_pod(conformance_workload("finished"), "finished-0-0")
        .container()
        .log->append("done\n");
    backend_.finish_pod("finished-0-0", 0);

    auto& echoing = backend_.add_pod(conformance_workload("echoing"), "echoing-0-0").container();
    echoing.main = FakeProcess::cat(loop_.executor());
    echoing.stdin_open = true;

    backend_.add_workload(conformance_workload("waiting"), "Pending");
    add_scripts();
    backend_.ports[echo_port()] = [this] {
      auto port = std::make_shared<FakePort>(loop_.executor());
      port->echo = true;
      return port;
    };
  }

  net::EventLoop& loop() { return loop_; }
  backend::Backend& backend() { return backend_; }
  std::uint16_t echo_port() const { return 7; }
  std::uint16_t closed_port() const { return 9; }

 private:
  void add_scripts() {
    backend_.scripts[kPrintBothAndExit3] = [this](const backend::ExecOptions&) {
      auto process = std::make_shared<FakeProcess>(loop_.executor());
      process->write(backend::OutputChannel::Stdout, "out");
      process->write(backend::OutputChannel::Stderr, "err");
      process->exit(backend::Exited{3});
      return process;
    };
    backend_.scripts[kKillItself] = [this](const backend::ExecOptions&) {
      return FakeProcess::exits(loop_.executor(), "", backend::Killed{9});
    };
  }

  net::EventLoop loop_;
  FakeBackend backend_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Fake, BackendConformance, FakeBed);

TEST(FakeBackend, ADeletedPodEndsWhatIsOpenInIt) {
  net::EventLoop loop;
  FakeBackend backend(loop.executor());
  backend.add_pod(conformance_workload("w"), "w-0-0");
  backend.programs["sleep"] = [&loop](const backend::ExecOptions&) {
    return std::make_shared<FakeProcess>(loop.executor());
  };
  const auth::Caller caller = conformance_caller();
  const auto container = run(loop, backend.resolve(caller, conformance_workload("w"), {})).value();
  const auto log = run(loop, backend.open_log(caller, container, {.follow = true})).value();
  backend::ExecOptions options;
  options.command = {"sleep"};
  const auto process = run(loop, backend.exec(caller, container, options)).value();

  backend.delete_pod("w-0-0");

  EXPECT_EQ(run(loop, read_log(*log)).value(), "");
  EXPECT_EQ(log->end(), backend::StreamEnd::TargetDeleted);
  EXPECT_EQ(log->end_reason(), "pod deleted");
  EXPECT_TRUE(std::holds_alternative<backend::ProcessDeleted>(run(loop, process->wait()).value()));
  EXPECT_EQ(run(loop, backend.resolve(caller, conformance_workload("w"), {})).error().code,
            ErrorCode::NotFound);
}

}  // namespace
}  // namespace sluice::testing
