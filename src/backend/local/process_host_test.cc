#include "backend/local/process_host.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>

#include "backend/local/process_test_support.h"

namespace sluice::backend::local {
namespace {

class ProcessHostTest : public ProcessTest {
 protected:
  ProcessHostTest() : host_(*ProcessHost::start()) {}

  Result<ProcessControl> spawn(SpawnRequest request, SpawnDescriptors descriptors = {}) {
    return run(loop_, host_.spawn(std::move(request), std::move(descriptors)));
  }
  /// Starts it with its stdout to `output_`.
  ProcessControl spawn_with_output(SpawnRequest request, UniqueFd leash = {}) {
    Pipe pipe = make_pipe();
    output_ = std::move(pipe.reader);
    SpawnDescriptors descriptors;
    descriptors.stdout = std::move(pipe.writer);
    descriptors.leash = std::move(leash);
    return *spawn(std::move(request), std::move(descriptors));
  }
  ShimMessage wait(ProcessControl& control) { return *run(loop_, control.wait()); }

  ProcessHost host_;
  net::EventLoop loop_;
  UniqueFd output_;
};

constexpr const char* kTree =
    "(setsid sh -c 'echo $$; exec sleep 1000' & ) ; "  // left the session, orphaned
    "sh -c 'setsid sleep 1000 & echo $!; wait' & "     // a grandchild in a session of its own
    "trap '' TERM HUP; echo $$; while :; do sleep 1000; done";  // deaf itself

TEST_F(ProcessHostTest, ReportsTheExitCode) {
  ProcessControl control = *spawn(shell("exit 7"));
  const ShimMessage end = wait(control);
  EXPECT_EQ(end.event, ShimEvent::Exited);
  EXPECT_EQ(end.value, 7);
  EXPECT_EQ(control.end()->value, 7) << "looking does not take the answer away";
}

TEST_F(ProcessHostTest, ReportsTheSignal) {
  ProcessControl control = *spawn(shell("kill -SEGV $$"));
  const ShimMessage end = wait(control);
  EXPECT_EQ(end.event, ShimEvent::Killed);
  EXPECT_EQ(end.value, SIGSEGV);
}

TEST_F(ProcessHostTest, ProgramsAreLookedUpInTheirOwnPath) {
  SpawnRequest request;
  request.command = {"true"};
  request.environment = {"PATH=/nonexistent"};
  EXPECT_THAT(spawn(request).error().message,
              ::testing::StrEq("command \"true\" can't be started: no such file or directory"));
  request.environment = {"PATH=/nonexistent:/bin"};
  EXPECT_TRUE(spawn(request).has_value());
}

TEST_F(ProcessHostTest, AProgramThatMayNotRunIsNamed) {
  SpawnRequest request;
  request.command = {"/etc/passwd"};
  const Result<ProcessControl> result = spawn(request);
  EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(result.error().message, "command \"/etc/passwd\" can't be started: permission denied");
}

TEST_F(ProcessHostTest, ABadWorkingDirectoryIsNamed) {
  SpawnRequest request = shell("true");
  request.working_directory = "/no/such";
  EXPECT_EQ(spawn(request).error().message,
            "working directory \"/no/such\": no such file or directory");
}

TEST_F(ProcessHostTest, GetsArgumentsEnvironmentAndDirectoryExactly) {
  SpawnRequest request = shell("printf '%s|' \"$0\" \"$1\" \"$A\"; pwd; env | wc -l");
  request.command.insert(request.command.end(), {"zero", "a b\n'"});
  request.environment.push_back("A=x y");
  request.working_directory = "/usr";
  ProcessControl control = spawn_with_output(request);
  EXPECT_THAT(read_text(output_.get()), ::testing::StartsWith("zero|a b\n'|x y|/usr\n"));
}

TEST_F(ProcessHostTest, OnlyThreeDescriptorsAreOpen) {
  ProcessControl control = spawn_with_output(shell("ls /proc/self/fd | tr '\\n' ' '"));
  EXPECT_EQ(read_text(output_.get()), "0 1 2 3 ");  // 3: the directory that ls reads
}

TEST_F(ProcessHostTest, SignalsAreAsInAFreshLogin) {
  ProcessControl control = spawn_with_output(
      shell("grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f2 | tr '\\n' ' '"));
  EXPECT_EQ(read_text(output_.get()), "0000000000000000 0000000000000000 ");
}

TEST_F(ProcessHostTest, KillingTheTreeReachesWhatLeftTheSession) {
  ProcessControl control = spawn_with_output(shell(kTree));
  const pid_t pids[] = {to_pid(read_line(output_.get())), to_pid(read_line(output_.get())),
                        to_pid(read_line(output_.get()))};
  control.kill_tree();
  ASSERT_TRUE(run(loop_, control.wait_gone()));
  for (const pid_t pid : pids) EXPECT_EQ(::kill(pid, 0), -1) << pid;
}

TEST_F(ProcessHostTest, ASignalGoesToAllDescendants) {
  ProcessControl control = spawn_with_output(shell(
      "setsid sh -c 'trap \"echo grandchild; exit\" TERM; echo; while :; do sleep 0.01; done' & "
      "trap 'wait; echo main; exit 3' TERM; while :; do sleep 0.01; done"));
  read_line(output_.get());
  control.signal_tree(SIGTERM);
  EXPECT_EQ(wait(control).value, 3);
  EXPECT_EQ(read_text(output_.get()), "grandchild\nmain\n");
}

TEST_F(ProcessHostTest, DroppingTheControlKillsByPolicy) {
  std::optional<ProcessControl> control = spawn_with_output(shell(kTree));
  for (int i = 0; i < 3; ++i) read_line(output_.get());
  control.reset();
  EXPECT_EQ(read_text(output_.get()), "");  // the end of file comes when nobody is left
}

TEST_F(ProcessHostTest, HangUpGivesAChance) {
  SpawnRequest request = shell("trap 'echo hung up; exit' HUP; echo; while :; do sleep 0.01; done");
  request.end_policy = EndPolicy::HangUp;
  std::optional<ProcessControl> control = spawn_with_output(request);
  read_line(output_.get());
  control.reset();
  EXPECT_EQ(read_text(output_.get()), "hung up\n");
}

TEST_F(ProcessHostTest, WhatARunLeavesBehindLivesUntilTheLeashEnds) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  UniqueFd leash(pair[0]);
  SpawnRequest request = shell("(echo $$; setsid sh -c 'echo; exec sleep 1000' & ) ; exit 0");
  request.end_policy = EndPolicy::HangUp;
  std::optional<ProcessControl> control = spawn_with_output(request, UniqueFd(pair[1]));
  EXPECT_EQ(wait(*control).event, ShimEvent::Exited);
  read_line(output_.get());
  read_line(output_.get());
  control.reset();
  pollfd alive{output_.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&alive, 1, 0), 0) << "it still holds its stdout";
  leash.reset();
  EXPECT_EQ(read_text(output_.get()), "");
}

TEST_F(ProcessHostTest, AKilledShimTakesItsProcessesWithIt) {
  ProcessControl control = spawn_with_output(
      shell("setsid sh -c 'echo $PPID; exec sleep 1000' & echo $PPID; exec sleep 1000"));
  const pid_t shim = std::min(to_pid(read_line(output_.get())), to_pid(read_line(output_.get())));
  ::kill(shim, SIGKILL);
  EXPECT_EQ(wait(control).event, ShimEvent::Killed);
  EXPECT_EQ(read_text(output_.get()), "");
}

TEST_F(ProcessHostTest, HundredProcessesAtOnce) {
  std::vector<ProcessControl> controls;
  for (int i = 0; i < 100; ++i) controls.push_back(*spawn(shell("exit " + std::to_string(i))));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(wait(controls[static_cast<std::size_t>(i)]).value, i);
}

TEST(ProcessHostOwner, NothingIsLeftWhenTheOwnerIsKilled) {
  ::alarm(60);
  Pipe pipe = make_pipe();
  const pid_t owner = ::fork();
  if (owner == 0) {
    pipe.reader.reset();
    ProcessHost host = *ProcessHost::start();
    net::EventLoop loop;
    SpawnRequest request;
    request.command = {"/bin/sh", "-c", kTree};
    request.environment = {"PATH=/usr/bin:/bin"};
    SpawnDescriptors descriptors;
    descriptors.stdout = std::move(pipe.writer);
    const Result<ProcessControl> control = run(loop, host.spawn(request, std::move(descriptors)));
    ::pause();
  }
  pipe.writer.reset();
  pid_t pids[3];
  for (pid_t& pid : pids) pid = to_pid(read_line(pipe.reader.get()));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  for (const pid_t pid : pids) wait_dead(pid);
  EXPECT_EQ(read_text(pipe.reader.get()), "");
  ::alarm(0);
}

}  // namespace
}  // namespace sluice::backend::local
