#include "gateway/workload_events.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "gateway/list_request.h"

namespace sluice::gateway {
namespace {

using workload::Framework;
using workload::WorkloadStatus;
using workload::WorkloadType;

WorkloadStatus status(std::string name, std::string phase = "Running") {
  WorkloadStatus one;
  one.workload = {"p", WorkloadType::Training, Framework::Runai, std::move(name)};
  one.phase = std::move(phase);
  return one;
}

class WorkloadEventsTest : public ::testing::Test {
 protected:
  /// "ADDED a Running, …" for what take() says of these.
  std::string told(std::vector<WorkloadStatus> now) {
    std::string text;
    std::string_view lines = rest_ = events_.take(select(std::move(now), {}));
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      EXPECT_NE(end, std::string_view::npos) << "each line has its end";
      const json::value parsed = *json::parse(lines.substr(0, end));
      const json::object& event = parsed.get_object();
      text += text.empty() ? "" : ", ";
      text += *json::find_string(event, "event");
      if (const json::object* workload = json::find_object(event, "workload")) {
        text += " " + std::string(*json::find_string(*workload, "name")) + " " +
                std::string(*json::find_string(*workload, "phase"));
      }
      lines.remove_prefix(end + 1);
    }
    return text;
  }

  WorkloadEvents events_;
  std::string rest_;
};

TEST_F(WorkloadEventsTest, BeginsWithAllThatThereIs) {
  EXPECT_EQ(told({status("b"), status("a")}), "ADDED a Running, ADDED b Running, SYNCED");
}

TEST_F(WorkloadEventsTest, SyncedComesOnceAlsoWhenThereIsNothing) {
  EXPECT_EQ(told({}), "SYNCED");
  EXPECT_EQ(told({}), "");
  EXPECT_EQ(told({status("a")}), "ADDED a Running");
}

TEST_F(WorkloadEventsTest, TellsOnlyWhatChanged) {
  told({status("a"), status("b"), status("d")});
  EXPECT_EQ(told({status("a"), status("b"), status("d")}), "");
  EXPECT_EQ(told({status("b", "Failed"), status("c"), status("d")}),
            "DELETED a Running, MODIFIED b Failed, ADDED c Running");
  EXPECT_EQ(told({}), "DELETED b Failed, DELETED c Running, DELETED d Running");
}

TEST_F(WorkloadEventsTest, EveryFieldOfAnEntryIsAChange) {
  WorkloadStatus one = status("a");
  told({one});
  one.message = "m";
  EXPECT_EQ(told({one}), "MODIFIED a Running");
  one.pods.failed = 1;
  EXPECT_EQ(told({one}), "MODIFIED a Running");
  one.created_at = WallTime(seconds(5));  // it was made anew
  EXPECT_EQ(told({one}), "MODIFIED a Running");
  one.kind = "Job";
  EXPECT_EQ(told({one}), "MODIFIED a Running");
  EXPECT_EQ(told({one}), "");
}

TEST_F(WorkloadEventsTest, NameOfAnotherTypeOrFrameworkIsAnotherWorkload) {
  WorkloadStatus other = status("a");
  other.workload.type = WorkloadType::Distributed;
  other.workload.framework = Framework::Mpi;
  told({status("a"), other});
  other.workload.framework = Framework::TensorFlow;
  EXPECT_EQ(told({status("a"), other}), "DELETED a Running, ADDED a Running");
}

TEST(WorkloadEventLines, HeartbeatAndEnd) {
  EXPECT_EQ(heartbeat_event(), "{\"event\":\"HEARTBEAT\"}\n");
  EXPECT_EQ(end_event(401, "token expired"),
            "{\"event\":\"END\",\"code\":401,\"message\":\"token expired\"}\n");
}

}  // namespace
}  // namespace sluice::gateway
