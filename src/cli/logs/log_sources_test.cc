#include "cli/logs/log_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kPods = R"({"pods": [
  {"name": "a", "phase": "Running", "createdAt": "2026-01-02T03:04:05Z", "containers": [
    {"name": "main", "state": "running", "restarts": 2},
    {"name": "side", "state": "waiting", "reason": "ContainerCreating"}]},
  {"name": "b", "phase": "Succeeded", "containers": [{"name": "main", "state": "terminated"}]}]})";

json::object parse(std::string_view text) { return json::parse(text).value().as_object(); }

std::vector<std::string> labels(std::string_view pods, const std::string& container = "") {
  std::vector<std::string> labels;
  for (const LogSource& source : log_sources(parse(pods), container)) {
    labels.push_back(source.label);
  }
  return labels;
}

TEST(LogSourcesTest, LabelNamesTheContainerWhereAPodHasSeveral) {
  EXPECT_THAT(labels(kPods), ElementsAre("a/main", "a/side", "b/main"));
}

TEST(LogSourcesTest, LabelIsThePodWhereEachHasOneContainer) {
  EXPECT_THAT(labels(kPods, "main"), ElementsAre("a", "b"));
  EXPECT_THAT(labels(kPods, "side"), ElementsAre("a"));
  EXPECT_THAT(labels(kPods, "nope"), IsEmpty());
}

TEST(LogSourcesTest, ContainersTellWhetherTheyHaveStarted) {
  const std::vector<LogSource> sources = log_sources(parse(kPods), "");
  EXPECT_TRUE(sources[0].has_started);
  EXPECT_EQ(sources[0].restarts, 2);
  EXPECT_EQ(sources[0].pod_created, "2026-01-02T03:04:05Z");
  EXPECT_FALSE(sources[1].has_started);
  EXPECT_EQ(sources[1].reason, "ContainerCreating");
  EXPECT_TRUE(sources[2].has_started);
}

TEST(LogSourcesTest, AllHaveEndedWhenEachPodHas) {
  EXPECT_FALSE(have_ended(parse(kPods)));
  EXPECT_FALSE(have_ended(parse(R"({"pods": []})")));
  EXPECT_TRUE(have_ended(parse(R"({"pods": [{"phase": "Succeeded"}, {"phase": "Failed"}]})")));
}

}  // namespace
}  // namespace sluice::cli
