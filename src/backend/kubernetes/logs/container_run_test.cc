#include "backend/kubernetes/logs/container_run.h"

#include <gtest/gtest.h>

namespace sluice::backend::kubernetes {
namespace {

PodRecord pod_with(ContainerState state, std::string id, int restarts = 0) {
  ContainerRecord container;
  container.name = "main";
  container.state = state;
  container.container_id = std::move(id);
  container.restarts = restarts;
  PodRecord pod;
  pod.phase = PodPhase::Running;
  pod.containers.push_back(std::move(container));
  return pod;
}

class ContainerRunTest : public ::testing::Test {
 protected:
  RunState see(const PodRecord& pod) { return run_.state(&pod); }

  ContainerRun run_{"main"};
};

TEST_F(ContainerRunTest, RunsUntilItIsTerminated) {
  EXPECT_EQ(see(pod_with(ContainerState::Running, "a")), RunState::Running);
  EXPECT_EQ(see(pod_with(ContainerState::Terminated, "a")), RunState::Ended);
}

TEST_F(ContainerRunTest, ContainerThatWaitsForItsNextStartHasEnded) {
  EXPECT_EQ(see(pod_with(ContainerState::Waiting, "a")), RunState::Ended);
}

TEST_F(ContainerRunTest, NextRunReplacesItAndTheOneAfterThatMakesItForgotten) {
  see(pod_with(ContainerState::Running, "a", 3));
  EXPECT_EQ(see(pod_with(ContainerState::Running, "b", 4)), RunState::Replaced);
  EXPECT_EQ(see(pod_with(ContainerState::Running, "c", 5)), RunState::Forgotten);
}

TEST_F(ContainerRunTest, ContainerWithoutARunHasNotBegun) {
  EXPECT_EQ(see(pod_with(ContainerState::Waiting, "")), RunState::NotBegun);
  EXPECT_EQ(see(pod_with(ContainerState::Running, "a")), RunState::Running);
}

TEST_F(ContainerRunTest, ContainerOfAPodThatHasEndedDoesNotBegin) {
  PodRecord pod = pod_with(ContainerState::Waiting, "");
  pod.phase = PodPhase::Failed;
  EXPECT_EQ(see(pod), RunState::Ended);
}

TEST_F(ContainerRunTest, ContainerThatCouldNotBeStartedHasEnded) {
  EXPECT_EQ(see(pod_with(ContainerState::Terminated, "")), RunState::Ended);
}

TEST_F(ContainerRunTest, WithoutARecordThePodIsGone) {
  EXPECT_EQ(run_.state(nullptr), RunState::PodGone);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
