#include "cli/workloads/workload_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WorkloadChangesTest : public ::testing::Test {
 protected:
  /// "EVENT NAME PHASE" of what the event changes.
  std::vector<std::string> take(std::string_view event, std::string_view name = "",
                                std::string_view phase = "Running") {
    json::object object;
    object["event"] = event;
    if (!name.empty()) {
      object["workload"] = json::object{
          {"name", name}, {"type", "training"}, {"framework", "runai"}, {"phase", phase}};
    }
    std::vector<std::string> texts;
    for (const json::object& change : changes_.take(object)) {
      const json::object& workload = json::object_of(change, "workload");
      std::string text = json::text_of(change, "event");
      if (!workload.empty()) {
        text += " " + json::text_of(workload, "name") + " " + json::text_of(workload, "phase");
      }
      texts.push_back(text);
    }
    return texts;
  }

  WorkloadChanges changes_;
};

TEST_F(WorkloadChangesTest, EventsOfOneConnectionAreHandedOn) {
  changes_.begin();
  EXPECT_THAT(take("ADDED", "a"), ElementsAre("ADDED a Running"));
  EXPECT_THAT(take("SYNCED"), ElementsAre("SYNCED"));
  EXPECT_THAT(take("MODIFIED", "a", "Failed"), ElementsAre("MODIFIED a Failed"));
  EXPECT_THAT(take("HEARTBEAT"), IsEmpty());
  EXPECT_THAT(take("DELETED", "a", "Failed"), ElementsAre("DELETED a Failed"));
  EXPECT_THAT(take("ADDED", "a"), ElementsAre("ADDED a Running"));
}

TEST_F(WorkloadChangesTest, ConnectingAgainTellsOnlyWhatChangedMeanwhile) {
  changes_.begin();
  for (const char* name : {"same", "changed", "gone"}) take("ADDED", name);
  take("SYNCED");
  changes_.begin();
  EXPECT_THAT(take("ADDED", "same"), IsEmpty());
  EXPECT_THAT(take("ADDED", "changed", "Failed"), ElementsAre("MODIFIED changed Failed"));
  EXPECT_THAT(take("ADDED", "new"), ElementsAre("ADDED new Running"));
  EXPECT_THAT(take("SYNCED"), ElementsAre("DELETED gone Running"));
}

TEST_F(WorkloadChangesTest, ConnectionLostBeforeAllWasThereGoesOnWithTheNext) {
  changes_.begin();
  take("ADDED", "a");
  changes_.begin();
  EXPECT_THAT(take("ADDED", "a"), IsEmpty());
  EXPECT_THAT(take("ADDED", "b"), ElementsAre("ADDED b Running"));
  EXPECT_THAT(take("SYNCED"), ElementsAre("SYNCED"));
}

TEST_F(WorkloadChangesTest, WorkloadsOfOneNameAreToldApartByType) {
  changes_.begin();
  take("ADDED", "a");
  json::object other;
  other["event"] = "ADDED";
  other["workload"] = json::object{{"name", "a"}, {"type", "workspace"}, {"framework", "runai"}};
  EXPECT_EQ(changes_.take(other).size(), 1U);
}

}  // namespace
}  // namespace sluice::cli
