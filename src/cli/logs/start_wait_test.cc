#include "cli/logs/start_wait.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

std::string missing(std::string_view pods, const TargetOptions& target = {}) {
  return missing_for_start(json::parse(pods).value().as_object(), target);
}

constexpr std::string_view kPods = R"({"pods": [
  {"name": "a", "containers": [
    {"name": "side", "state": "running"},
    {"name": "main", "state": "waiting", "default": true, "reason": "ContainerCreating"}]},
  {"name": "b", "default": true, "containers": [
    {"name": "again", "state": "waiting", "startedAt": "2026-01-02T03:04:05Z"},
    {"name": "ended", "state": "terminated"}]},
  {"name": "c", "containers": []}]})";

TEST(StartWaitTest, WithoutAPodOneIsMissing) {
  EXPECT_EQ(missing(R"({"pods": []})"), "a pod");
  EXPECT_EQ(missing(kPods, {"nope", ""}), "pod \"nope\"");
}

TEST(StartWaitTest, DefaultPodAndContainerAreMeant) {
  EXPECT_EQ(missing(kPods), "");
  EXPECT_EQ(missing(kPods, {"a", ""}), "container \"main\" of pod \"a\" (ContainerCreating)");
}

TEST(StartWaitTest, ContainerThatRunsHasEndedOrWillRunAgainHasStarted) {
  EXPECT_EQ(missing(kPods, {"a", "side"}), "");
  EXPECT_EQ(missing(kPods, {"b", "again"}), "");
  EXPECT_EQ(missing(kPods, {"b", "ended"}), "");
}

TEST(StartWaitTest, ContainersThatArentKnownYetAreMissing) {
  EXPECT_EQ(missing(kPods, {"c", "main"}), "the containers of pod \"c\"");
}

TEST(StartWaitTest, ContainerThatWillNeverBeThereIsForTheRequestToTell) {
  EXPECT_EQ(missing(kPods, {"a", "nope"}), "");
}

}  // namespace
}  // namespace sluice::cli
