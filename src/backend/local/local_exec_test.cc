#include "backend/local/local_exec.h"

#include <gmock/gmock.h>

#include "backend/local/local_backend_test_support.h"

namespace sluice::backend::local {
namespace {

using ::testing::HasSubstr;

class LocalExecTest : public LocalBackendTest {
 protected:
  void SetUp() override {
    LocalBackendTest::SetUp();
    start(workload("trap exit TERM; while :; do sleep 1; done", ", env: {A: b}, workingDir: /usr"));
    wait_phase("Running");
  }
};

TEST_F(LocalExecTest, KeepsStdoutAndStderrApart) {
  const auto process = *exec(shell_command("echo out; echo err >&2; exit 3"));
  const Outputs got = outputs(*process);
  EXPECT_EQ(got.out, "out\n");
  EXPECT_EQ(got.err, "err\n");
  EXPECT_EQ(exit_code(*process), 3);
}

TEST_F(LocalExecTest, CombinedOutputKeepsItsOrder) {
  ExecOptions options = shell_command("echo 1; echo 2 >&2; echo 3; echo 4 >&2");
  options.streams.combine_output = true;
  EXPECT_EQ(output(**exec(options)), "1\n2\n3\n4\n");
}

TEST_F(LocalExecTest, HasTheContainersEnvironmentAndDirectory) {
  const std::string got = output(**exec(shell_command("pwd; env | sort")));
  EXPECT_THAT(got, ::testing::StartsWith("/usr\nA=b\nHOME=/root\nPATH=/usr/bin:/bin\n"));
  EXPECT_THAT(got, HasSubstr("SLUICE_CONTAINER=w\nSLUICE_POD=w-0-0\nSLUICE_PROJECT=p\n"
                             "SLUICE_REPLICA_INDEX=0\nSLUICE_WORKLOAD=w\n"));
  EXPECT_THAT(got, ::testing::Not(HasSubstr("SECRET")));
}

TEST_F(LocalExecTest, ACommandThatDoesNotExistIsNamed) {
  ExecOptions options;
  options.command = {"no-such-program"};
  const auto result = exec(options);
  EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(result.error().message,
            "command \"no-such-program\" can't be started: no such file or directory");
}

TEST_F(LocalExecTest, ASignalIsReported) {
  EXPECT_EQ(std::get<Killed>(wait_exit(**exec(shell_command("kill -KILL $$")))).signal, 9);
}

TEST_F(LocalExecTest, StdinReachesItsEnd) {
  ExecOptions options = shell_command("wc -c");
  options.streams.stdin = true;
  const auto process = *exec(options);
  write(*process, "hello");
  ASSERT_TRUE(run(loop_, process->close_stdin()));
  EXPECT_EQ(output(*process), "5\n");
  EXPECT_EQ(exit_code(*process), 0);
}

TEST_F(LocalExecTest, AProcessThatClosesItsStdinDropsTheRest) {
  ExecOptions options = shell_command("exec <&-; echo closed; sleep 1000");
  options.streams.stdin = true;
  const auto process = *exec(options);
  EXPECT_EQ(output(*process, 7), "closed\n");
  write(*process, std::string(1 << 20, 'x'));
}

TEST_F(LocalExecTest, WithoutStdinAReadEndsAtOnceAndAWriteIsAConflict) {
  const auto process = *exec(shell_command("cat; echo done"));
  EXPECT_EQ(run(loop_, process->write(as_bytes("x"))).error().code, ErrorCode::Conflict);
  EXPECT_EQ(output(*process), "done\n");
}

TEST_F(LocalExecTest, ATerminalHasASizeAndChangesIt) {
  // No `read`: a signal just before it would be handled only when the read ends.
  ExecOptions options = shell_command(
      "stty size; trap \"stty size; exit\" WINCH; echo; while :; do sleep 0.01; done");
  options.streams.tty = options.streams.stdin = true;
  options.streams.size = TerminalSize{.width = 132, .height = 43};
  const auto process = *exec(options);
  EXPECT_EQ(output(*process, 10), "43 132\r\n\r\n");
  process->resize({.width = 100, .height = 30});
  EXPECT_THAT(output(*process), HasSubstr("30 100\r\n"));
}

TEST_F(LocalExecTest, EndOfStdinOnATerminalIsControlD) {
  ExecOptions options = shell_command("tty >/dev/null && cat; echo ended");
  options.streams.tty = options.streams.stdin = true;
  const auto process = *exec(options);
  ASSERT_TRUE(run(loop_, process->close_stdin()));
  EXPECT_EQ(output(*process), "ended\r\n");
}

TEST_F(LocalExecTest, EndOfStdinInAnUnfinishedLineOfATerminalIsTheEnd) {
  ExecOptions options = shell_command("stty -echo; echo ready; cat; echo; echo ended");
  options.streams.tty = options.streams.stdin = true;
  const auto process = *exec(options);
  EXPECT_EQ(output(*process, 7), "ready\r\n");
  write(*process, "unfinished");
  ASSERT_TRUE(run(loop_, process->close_stdin()));
  EXPECT_EQ(output(*process), "unfinished\r\nended\r\n");
}

TEST_F(LocalExecTest, AllOutputComesBeforeTheEnd) {
  const auto process = *exec(shell_command("head -c 3000000 /dev/zero"));
  EXPECT_EQ(output(*process).size(), 3000000u);
}

TEST_F(LocalExecTest, ADescendantHoldsTheEndForTwoSeconds) {
  const auto process = *exec(shell_command("echo before; sleep 1000 & exit 4"));
  EXPECT_EQ(exit_code(*process), 4);
  EXPECT_EQ(output(*process, 7), "before\n");
  std::optional<Outputs> rest;
  net::TaskGroup group(loop_.executor());
  group.spawn("read", testing::store_result(read_all(*process, 1), rest));
  testing::run_until_idle(loop_);
  clock_.advance(LocalProcess::kLinger - nanoseconds(1));
  EXPECT_FALSE(rest);
  clock_.advance(nanoseconds(1));
  testing::run_until_empty(loop_, group);
  EXPECT_EQ(rest->out, "");
}

TEST_F(LocalExecTest, WhatAnExecLeavesBehindEndsWithItsContainer) {
  const auto process = *exec(shell_command("setsid sleep 1000 >/dev/null 2>&1 & echo $!"));
  const pid_t left = to_pid(output(*process));
  EXPECT_EQ(exit_code(*process), 0);
  EXPECT_EQ(::kill(left, 0), 0);
  write_workloads("");
  backend_->reload();
  wait_phase("gone");
  wait_dead(left);
}

TEST_F(LocalExecTest, DroppingItHangsUp) {
  const auto marker = directory_ / "hung-up";
  ::mkfifo(marker.c_str(), 0600);
  const UniqueFd reader(::open(marker.c_str(), O_RDWR | O_CLOEXEC));
  auto process = *exec(shell_command("exec 2>/dev/null; trap \"echo hangup >" + marker +
                                     "; exit\" HUP; echo ready; "
                                     "while :; do sleep 0.01; done"));
  EXPECT_EQ(output(*process, 6), "ready\n");
  process.reset();
  EXPECT_EQ(read_line(reader.get()), "hangup\n");
}

TEST_F(LocalExecTest, LeaveLetsItRunOn) {
  const auto marker = directory_ / "go-on";
  ::mkfifo(marker.c_str(), 0600);
  const UniqueFd fifo(::open(marker.c_str(), O_RDWR | O_CLOEXEC));
  ExecOptions options =
      shell_command("echo ready; read x; head -c 2000000 /dev/zero && echo went on >" + marker);
  options.on_disconnect = OnDisconnect::Leave;
  options.streams.stdin = true;
  auto process = *exec(options);
  EXPECT_EQ(output(*process, 6), "ready\n");
  process.reset();  // ends its stdin, and so the read
  pollfd written{fifo.get(), POLLIN, 0};
  while (::poll(&written, 1, 0) == 0) run_some();  // more than the pipe holds, and nobody reads it
  EXPECT_EQ(read_line(fifo.get()), "went on\n");
}

TEST_F(LocalExecTest, ARunningExecIsToldThatThePodWasDeleted) {
  const auto process = *exec(shell_command("sleep 1000"));
  write_workloads("");
  backend_->reload();
  EXPECT_TRUE(std::holds_alternative<ProcessDeleted>(wait_exit(*process)));
}

TEST_F(LocalExecTest, ManyAtOnce) {
  std::vector<std::optional<Result<std::unique_ptr<RemoteProcess>>>> processes(100);
  const workload::ContainerRef container = *resolve();
  net::TaskGroup group(loop_.executor());
  for (auto& process : processes) {
    group.spawn("exec",
                testing::store_result(
                    backend_->exec(caller_, container, shell_command("echo x; exit 5")), process));
  }
  testing::run_until_empty(loop_, group);
  for (auto& process : processes) {
    ASSERT_TRUE(*process) << process->error().message;
    EXPECT_EQ(output(***process), "x\n");
    EXPECT_EQ(exit_code(***process), 5);
  }
}

}  // namespace
}  // namespace sluice::backend::local
