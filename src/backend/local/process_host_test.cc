#include "backend/local/process_host.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>

#include "backend/local/process_test_support.h"

namespace sluice::backend::local {
namespace {

/// Chains of processes, each of which starts the next in a session of its own and ends. Whoever
/// looks for them one by one is late. A chain ends by itself, lest a failing test floods the
/// machine.
constexpr const char* kForkBomb =
    "export BOMB='[ $(date +%s) -gt $1 ] || setsid sh -c \"$BOMB\" bomb $1 &'; "
    "until=$(($(date +%s) + 30)); "
    "for i in $(seq 20); do sh -c \"$BOMB\" bomb $until & done; echo $$; exec sleep 1000";

constexpr const char* kTree =
    "(setsid sh -c 'echo $$; exec sleep 1000' & ) ; "  // left the session, orphaned
    "sh -c 'setsid sleep 1000 & echo $!; wait' & "     // a grandchild in a session of its own
    "trap '' TERM HUP; echo $$; while :; do sleep 1000; done";  // deaf itself

enum class TreesBy { Cgroup, Proc };

/// With a cgroup for each tree, and without.
class ProcessHostTest : public ProcessTest, public ::testing::WithParamInterface<TreesBy> {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    if (GetParam() == TreesBy::Cgroup) {
      Result<Cgroup> made = make_server_cgroup();
      if (!made) GTEST_SKIP() << made.error().message << ": " << made.error().cause;
      server_cgroup_ = made->path();
      host_.emplace(*ProcessHost::start(*std::move(made)));
    } else {
      host_.emplace(*ProcessHost::start({}));
    }
  }

  Result<ProcessControl> spawn(SpawnRequest request, SpawnDescriptors descriptors = {}) {
    return run(loop_, host_->spawn(std::move(request), std::move(descriptors)));
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

  static bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

  /// As a server that runs two trees until it is killed. Four pids of theirs go to `output`.
  [[noreturn]] static void own_trees(TreesBy trees, UniqueFd output) {
    Result<Cgroup> cgroup = trees == TreesBy::Cgroup ? make_server_cgroup() : Result<Cgroup>();
    ProcessHost host = *ProcessHost::start(*std::move(cgroup));
    net::EventLoop loop;
    std::vector<Result<ProcessControl>> controls;
    for (const char* const script : {kTree, kForkBomb}) {
      SpawnDescriptors descriptors;
      descriptors.stdout = UniqueFd(::fcntl(output.get(), F_DUPFD_CLOEXEC, 3));
      controls.push_back(run(loop, host.spawn(shell(script), std::move(descriptors))));
    }
    output.reset();
    while (true) ::pause();
  }

  std::string server_cgroup_;  // empty: none
  std::optional<ProcessHost> host_;
  net::EventLoop loop_;
  UniqueFd output_;
};

TEST_P(ProcessHostTest, ReportsTheExitCode) {
  ProcessControl control = *spawn(shell("exit 7"));
  const ShimMessage end = wait(control);
  EXPECT_EQ(end.event, ShimEvent::Exited);
  EXPECT_EQ(end.value, 7);
  EXPECT_EQ(control.end()->value, 7) << "looking does not take the answer away";
}

TEST_P(ProcessHostTest, ReportsTheSignal) {
  ProcessControl control = *spawn(shell("kill -SEGV $$"));
  const ShimMessage end = wait(control);
  EXPECT_EQ(end.event, ShimEvent::Killed);
  EXPECT_EQ(end.value, SIGSEGV);
}

TEST_P(ProcessHostTest, ProgramsAreLookedUpInTheirOwnPath) {
  SpawnRequest request;
  request.command = {"true"};
  request.environment = {"PATH=/nonexistent"};
  EXPECT_THAT(spawn(request).error().message,
              ::testing::StrEq("command \"true\" can't be started: no such file or directory"));
  request.environment = {"PATH=/nonexistent:/bin"};
  EXPECT_TRUE(spawn(request).has_value());
}

TEST_P(ProcessHostTest, AProgramThatMayNotRunIsNamed) {
  SpawnRequest request;
  request.command = {"/etc/passwd"};
  const Result<ProcessControl> result = spawn(request);
  EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(result.error().message, "command \"/etc/passwd\" can't be started: permission denied");
}

TEST_P(ProcessHostTest, ABadWorkingDirectoryIsNamed) {
  SpawnRequest request = shell("true");
  request.working_directory = "/no/such";
  EXPECT_EQ(spawn(request).error().message,
            "working directory \"/no/such\": no such file or directory");
}

TEST_P(ProcessHostTest, GetsArgumentsEnvironmentAndDirectoryExactly) {
  SpawnRequest request = shell("printf '%s|' \"$0\" \"$1\" \"$A\"; pwd; env | wc -l");
  request.command.insert(request.command.end(), {"zero", "a b\n'"});
  request.environment.push_back("A=x y");
  request.working_directory = "/usr";
  ProcessControl control = spawn_with_output(request);
  EXPECT_THAT(read_text(output_.get()), ::testing::StartsWith("zero|a b\n'|x y|/usr\n"));
}

TEST_P(ProcessHostTest, OnlyThreeDescriptorsAreOpen) {
  ProcessControl control = spawn_with_output(shell("ls /proc/self/fd | tr '\\n' ' '"));
  EXPECT_EQ(read_text(output_.get()), "0 1 2 3 ");  // 3: the directory that ls reads
}

TEST_P(ProcessHostTest, SignalsAreAsInAFreshLogin) {
  ProcessControl control = spawn_with_output(
      shell("grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f2 | tr '\\n' ' '"));
  EXPECT_EQ(read_text(output_.get()), "0000000000000000 0000000000000000 ");
}

TEST_P(ProcessHostTest, KillingTheTreeReachesWhatLeftTheSession) {
  ProcessControl control = spawn_with_output(shell(kTree));
  const pid_t pids[] = {to_pid(read_line(output_.get())), to_pid(read_line(output_.get())),
                        to_pid(read_line(output_.get()))};
  control.kill_tree();
  ASSERT_TRUE(run(loop_, control.wait_gone()));
  for (const pid_t pid : pids) EXPECT_EQ(::kill(pid, 0), -1) << pid;
}

TEST_P(ProcessHostTest, ASignalGoesToAllDescendants) {
  // The main process is ready first: only the other one tells.
  ProcessControl control = spawn_with_output(shell(
      "trap 'wait; echo main; exit 3' TERM; "
      "setsid sh -c 'trap \"echo grandchild; exit\" TERM; echo; while :; do sleep 0.01; done' & "
      "while :; do sleep 0.01; done"));
  read_line(output_.get());
  control.signal_tree(SIGTERM);
  EXPECT_EQ(wait(control).value, 3);
  EXPECT_EQ(read_text(output_.get()), "grandchild\nmain\n");
}

TEST_P(ProcessHostTest, DroppingTheControlKillsByPolicy) {
  std::optional<ProcessControl> control = spawn_with_output(shell(kTree));
  for (int i = 0; i < 3; ++i) read_line(output_.get());
  control.reset();
  EXPECT_EQ(read_text(output_.get()), "");  // the end of file comes when nobody is left
}

TEST_P(ProcessHostTest, HangUpGivesAChance) {
  SpawnRequest request = shell("trap 'echo hung up; exit' HUP; echo; while :; do sleep 0.01; done");
  request.end_policy = EndPolicy::HangUp;
  std::optional<ProcessControl> control = spawn_with_output(request);
  read_line(output_.get());
  control.reset();
  EXPECT_EQ(read_text(output_.get()), "hung up\n");
}

TEST_P(ProcessHostTest, WhatARunLeavesBehindLivesUntilTheLeashEnds) {
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

TEST_P(ProcessHostTest, AKilledShimTakesItsProcessesWithIt) {
  ProcessControl control = spawn_with_output(
      shell("setsid sh -c 'echo 0; exec sleep 1000' & echo $PPID; exec sleep 1000"));
  const pid_t shim = std::max(to_pid(read_line(output_.get())), to_pid(read_line(output_.get())));
  ::kill(shim, SIGKILL);
  EXPECT_EQ(wait(control).event, ShimEvent::Killed);
  EXPECT_EQ(read_text(output_.get()), "");
}

TEST_P(ProcessHostTest, HundredProcessesAtOnce) {
  std::vector<ProcessControl> controls;
  for (int i = 0; i < 100; ++i) controls.push_back(*spawn(shell("exit " + std::to_string(i))));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(wait(controls[static_cast<std::size_t>(i)]).value, i);
}

TEST_P(ProcessHostTest, KillingTheTreeReachesWhatKeepsForking) {
  ProcessControl control = spawn_with_output(shell(kForkBomb));
  read_line(output_.get());
  control.kill_tree();
  ASSERT_TRUE(run(loop_, control.wait_gone()));
  EXPECT_EQ(read_text(output_.get()), "");
}

TEST_P(ProcessHostTest, NothingIsLeftWhenTheOwnerIsKilled) {
  Pipe pipe = make_pipe();
  const pid_t owner = ::fork();
  if (owner == 0) {
    pipe.reader.reset();
    own_trees(GetParam(), std::move(pipe.writer));
  }
  pipe.writer.reset();
  pid_t pids[4];
  for (pid_t& pid : pids) pid = to_pid(read_line(pipe.reader.get()));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  for (const pid_t pid : pids) wait_dead(pid);
  EXPECT_EQ(read_text(pipe.reader.get()), "");
}

class ProcessHostWithCgroups : public ProcessHostTest {};

TEST_P(ProcessHostWithCgroups, ACgroupHasItsProcesssNameAndLivesAsLong) {
  SpawnRequest request = shell("grep ^0:: /proc/self/cgroup; exec sleep 1000");
  request.name = "run-w-0-0-main";
  ProcessControl control = spawn_with_output(std::move(request));
  const std::string own = read_line(output_.get());
  const std::string path = server_cgroup_ + "/run-w-0-0-main-1";
  EXPECT_TRUE(exists(path));
  EXPECT_THAT(own, ::testing::EndsWith(path.substr(path.rfind("/sluiced-trees-")) + "\n"));
  control.kill_tree();
  ASSERT_TRUE(run(loop_, control.wait_gone()));
  EXPECT_FALSE(exists(path));
}

TEST_P(ProcessHostWithCgroups, LeaveNoneBehind) {
  ProcessControl control = spawn_with_output(shell("echo $PPID; exec sleep 1000"));
  ::kill(to_pid(read_line(output_.get())), SIGKILL);  // the shim, which would have removed it
  EXPECT_EQ(read_text(output_.get()), "");
  host_.reset();
  EXPECT_FALSE(exists(server_cgroup_));
}

constexpr auto kName = [](const auto& trees) {
  return trees.param == TreesBy::Cgroup ? "ByCgroup" : "ByProc";
};
INSTANTIATE_TEST_SUITE_P(Trees, ProcessHostTest, ::testing::Values(TreesBy::Cgroup, TreesBy::Proc),
                         kName);
INSTANTIATE_TEST_SUITE_P(Trees, ProcessHostWithCgroups, ::testing::Values(TreesBy::Cgroup), kName);

TEST(ProcessHostOwner, WithoutANullDeviceTheHostEndsAndHoldsNothingOfItsOwners) {
  constexpr int kNotAllowed = 77;
  const pid_t owner = ::fork();
  if (owner == 0) {
    ::alarm(60);
    if (::geteuid() != 0) (void)::unshare(CLONE_NEWUSER);
    if (::chroot("/usr") != 0) ::_exit(kNotAllowed);
    const Result<ProcessHost> host = ProcessHost::start({});
    int status = 0;
    ::waitpid(-1, &status, 0);
    ::_exit(host && WIFEXITED(status) ? WEXITSTATUS(status) : 2);
  }
  int status = 0;
  ::waitpid(owner, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotAllowed) GTEST_SKIP() << "neither root nor user namespaces";
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

}  // namespace
}  // namespace sluice::backend::local
