#include "backend/local/supervisor.h"

#include <gmock/gmock.h>

#include "backend/local/local_backend_test_support.h"

namespace sluice::backend::local {
namespace {

using ::testing::HasSubstr;

constexpr const char* kForever = "trap exit TERM; while :; do sleep 1; done";

class SupervisorTest : public LocalBackendTest {
 protected:
  std::string uid(const std::string& name = "w") {
    const auto found = resolve({}, name);
    return found ? found->pod.uid : "";
  }
  void reload(const std::string& items) {
    write_workloads(items);
    backend_->reload();
    testing::run_until_idle(loop_);
  }
};

TEST_F(SupervisorTest, PhasesFollowTheExitCode) {
  start(workload("exit 0", "", "good") + "," + workload("exit 3", "", "bad"));
  wait_phase("Completed", "good");
  wait_phase("Failed", "bad");
  EXPECT_EQ(status("bad")->message, "pod bad-0-0: container bad: exit code 3");
  EXPECT_EQ(status("bad")->pods.failed, 1);
  EXPECT_EQ(status("good")->pods.succeeded, 1);
  EXPECT_EQ(status("good")->kind, "TrainingWorkload");
}

TEST_F(SupervisorTest, SomeFailedPodsAreDegraded) {
  start(workload("test $SLUICE_REPLICA_INDEX = 0", "", "w", 2));
  wait_phase("Degraded");
  EXPECT_EQ(status()->pods.total, 2);
  EXPECT_EQ(status()->pods.failed, 1);
}

TEST_F(SupervisorTest, ACommandThatDoesNotExistFailsThePodAndSaysWhy) {
  start(
      "{name: w, type: training, framework: runai, containers: [{command: [no-such-program], "
      "restart: Always}]}");
  wait_phase("Failed");
  EXPECT_THAT(status()->message, HasSubstr("command \"no-such-program\" can't be started"));
}

TEST_F(SupervisorTest, NoReplicasArePendingWithoutPods) {
  start(workload("exit 0", "", "w", 0));
  EXPECT_EQ(phase(), "Pending");
  EXPECT_EQ(resolve().error().code, ErrorCode::NotFound);
  EXPECT_EQ(resolve().error().message, "workload \"w\" has no pods yet");
}

TEST_F(SupervisorTest, ResolveFindsDefaultsAndNamesWhatThereIs) {
  start(
      "{name: w, type: training, framework: runai, replicas: 2, containers: ["
      "{name: side, command: [sleep, \"1000\"]}, {command: [sleep, \"1000\"]}]}");
  EXPECT_EQ(resolve()->pod.name, "w-0-0");
  EXPECT_EQ(resolve()->container, "w");
  EXPECT_EQ(resolve({.pod = "w-0-1", .container = "side"})->pod.name, "w-0-1");
  EXPECT_EQ(resolve({.pod = "x", .container = {}}).error().message,
            "pod \"x\" not in workload \"w\"; it has: w-0-0, w-0-1");
  EXPECT_EQ(resolve({.pod = {}, .container = "x"}).error().message,
            "container \"x\" not in pod \"w-0-0\"; it has: side, w");
  EXPECT_EQ(resolve({}, "other").error().code, ErrorCode::WorkloadNotFound);
  workload::WorkloadRef elsewhere = ref();
  elsewhere.project = "q";
  EXPECT_EQ(run(loop_, backend_->resolve(caller_, elsewhere, {})).error().code,
            ErrorCode::NotFound);
}

TEST_F(SupervisorTest, RestartsWaitLonger) {
  start(workload("echo run >> " + (directory_ / "runs") + "; exit 1", ", restart: OnFailure"));
  const auto runs = [&] {
    const Result<std::string> text = read_file(directory_ / "runs", 1_KiB);
    return text ? std::ranges::count(*text, '\n') : 0;
  };
  const auto wait_message = [&](const std::string& text) {
    while (status()->message.find(text) == std::string::npos) run_some();
  };
  wait_message("restarting in 1s");  // after the one at once
  EXPECT_EQ(runs(), 2);
  clock_.advance(seconds(1));
  wait_message("restarting in 2s");
  EXPECT_EQ(runs(), 3);
  clock_.advance(seconds(2));
  wait_message("restarting in 4s");
  EXPECT_EQ(status()->phase, "Running");
}

TEST_F(SupervisorTest, AWaitingContainerSaysHowItsRunEndedAlsoWhenThatWasWell) {
  start(workload("exit 0", ", restart: Always"));
  while (status()->message.empty()) run_some();
  EXPECT_EQ(status()->message, "pod w-0-0: container w: exit code 0; restarting in 1s");
}

TEST_F(SupervisorTest, ReloadStartsNewOnesAndStopsRemovedOnes) {
  start(workload(kForever, "", "stays") + "," + workload(kForever, "", "goes"));
  wait_phase("Running", "stays");
  wait_phase("Running", "goes");
  const std::string before = uid("stays");
  reload(workload(kForever, "", "stays") + "," + workload(kForever, "", "comes"));
  EXPECT_NE(phase("goes"), "Running");  // Terminating, or gone already
  wait_phase("gone", "goes");
  wait_phase("Running", "comes");
  EXPECT_EQ(uid("stays"), before);
}

TEST_F(SupervisorTest, ReloadRestartsWhatChangedWithANewUid) {
  start(workload(kForever));
  wait_phase("Running");
  const std::string before = uid();
  reload(workload(kForever, ", env: {A: b}"));
  while (uid() == before || phase() != "Running") run_some();
  EXPECT_EQ(resolve()->pod.name, "w-0-0");
}

TEST_F(SupervisorTest, ABrokenFileChangesNothing) {
  start(workload(kForever));
  wait_phase("Running");
  const std::string before = uid();
  reload("{name: w, typo: training}");
  EXPECT_EQ(phase(), "Running");
  EXPECT_EQ(uid(), before);
}

TEST_F(SupervisorTest, WhatIgnoresSigtermIsKilledAfterTenSeconds) {
  start(workload("trap \"\" TERM; echo >" + (directory_ / "ready") +
                 "; while :; do sleep 1000; done"));
  const std::string fifo = directory_ / "ready";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const UniqueFd reader(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  wait_phase("Running");
  read_line(reader.get());
  reload("");
  clock_.advance(kStopGrace - nanoseconds(1));
  EXPECT_EQ(phase(), "Terminating");
  clock_.advance(nanoseconds(1));
  wait_phase("gone");
}

TEST_F(SupervisorTest, ExecInAFinishedContainerIsAConflict) {
  start(workload("exit 0"));
  wait_phase("Completed");
  const auto result = exec(shell_command("true"));
  EXPECT_EQ(result.error().code, ErrorCode::Conflict);
  EXPECT_EQ(result.error().message, "container \"w\" of pod \"w-0-0\" has finished");
  EXPECT_EQ(attach({}).error().code, ErrorCode::Conflict);
}

TEST_F(SupervisorTest, TwoServersDoNotShareAStateDirectory) {
  start("");
  const Result<StateDirectory> second = StateDirectory::open(directory_ / "state");
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("used by another sluiced"));
}

TEST_F(SupervisorTest, AStateDirectoryThatCanNotBeIsNamed) {
  write_workloads("");
  ASSERT_TRUE(write_file_atomically(directory_ / "state", "a file", 0600));
  const Result<> started = try_start();
  EXPECT_EQ(started.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(started.error().message, HasSubstr("stateDir " + (directory_ / "state")));
}

TEST_F(SupervisorTest, PodsTellTheirContainersAndThisMachine) {
  start(
      "{name: w, type: training, framework: runai, replicas: 2, containers: ["
      "{name: side, command: [sleep, \"1000\"]}, {command: [/bin/sh, -c, \"exit 3\"]}]}");
  const auto pods = [this] { return *run(loop_, backend_->list_pods(caller_, ref())); };
  const auto is_settled = [](const workload::PodStatus& one) {
    return one.containers[0].ready &&
           one.containers[1].state == workload::ContainerState::Terminated;
  };
  while (!is_settled(pods()[1])) run_some();
  const workload::PodStatus pod = pods()[1];
  EXPECT_EQ(pods()[0].name, "w-0-0");
  EXPECT_EQ(pod.name, "w-0-1");
  EXPECT_EQ(pod.phase, "Running");
  EXPECT_FALSE(pod.ready);
  EXPECT_EQ(pod.reason, "container w: exit code 3");
  EXPECT_FALSE(pod.node.empty());
  EXPECT_EQ(pod.created_at, clock_.wall_now());
  ASSERT_EQ(pod.containers.size(), 2u);
  EXPECT_EQ(pod.containers[0].name, "side");
  EXPECT_TRUE(pod.containers[0].ready);
  EXPECT_FALSE(pod.containers[0].is_default);
  EXPECT_FALSE(pod.containers[0].exit_code);
  EXPECT_EQ(pod.containers[0].started_at, clock_.wall_now());
  EXPECT_TRUE(pod.containers[1].is_default);
  EXPECT_FALSE(pod.containers[1].ready);
  EXPECT_EQ(pod.containers[1].exit_code, 3);
  EXPECT_EQ(pod.containers[1].reason, "exit code 3");
}

TEST_F(SupervisorTest, ExitCodeOfAKilledContainerIsThatOfItsSignal) {
  start(workload("kill -9 $$", "", "killed") + "," + workload("exit 0", "", "well"));
  wait_phase("Failed", "killed");
  wait_phase("Completed", "well");
  const auto container = [this](const char* name) {
    return run(loop_, backend_->list_pods(caller_, ref(name)))->front().containers.front();
  };
  EXPECT_EQ(container("killed").exit_code, 137);
  EXPECT_EQ(container("killed").reason, "killed by signal 9");
  EXPECT_EQ(container("well").exit_code, 0);
  EXPECT_EQ(container("well").reason, "");
}

TEST_F(SupervisorTest, RestartsAreCounted) {
  start(workload("exit 1", ", restart: OnFailure"));
  const auto container = [this] {
    return run(loop_, backend_->list_pods(caller_, ref()))->front().containers.front();
  };
  while (container().reason.find("restarting in 1s") == std::string::npos) run_some();
  EXPECT_EQ(container().restarts, 1);  // the first at once
  EXPECT_EQ(container().state, workload::ContainerState::Waiting);
  clock_.advance(seconds(1));
  while (container().reason.find("restarting in 2s") == std::string::npos) run_some();
  EXPECT_EQ(container().restarts, 2);
}

TEST_F(SupervisorTest, WatchOfAProjectIsWokenByAChangeOfItsWorkloads) {
  start(workload("read line", ", stdin: true"));
  wait_phase("Running");
  const auto watch = backend_->watch_project("p", loop_.executor());
  const auto attached = *attach({.stdin = true, .size = {}});
  write(*attached, "end\n");
  while (phase() == "Running") EXPECT_TRUE(run(loop_, watch->changed()));
  EXPECT_EQ(phase(), "Completed");
}

}  // namespace
}  // namespace sluice::backend::local
