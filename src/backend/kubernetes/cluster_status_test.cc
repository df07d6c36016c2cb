#include "backend/kubernetes/cluster_status.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/cache/snapshot_builder.h"

namespace sluice::backend::kubernetes {
namespace {

using workload::FeatureState;
using workload::FeatureStatus;

class ClusterStatusTest : public ::testing::Test {
 protected:
  workload::ClusterStatus status() { return cluster_status(*builder_.publish(), self_check_); }
  FeatureStatus feature(std::string_view name) {
    for (const FeatureStatus& feature : status().features) {
      if (feature.name == name) return feature;
    }
    ADD_FAILURE() << name;
    return {};
  }

  SnapshotBuilder builder_;
  SelfCheckResult self_check_{
      .reachable = true, .problem = {}, .version = "v1.34.1", .lacking = {}};
};

TEST_F(ClusterStatusTest, IsOkWhenAllIsKnownAndAllowed) {
  builder_.report("pods", WatchState::Current, {});
  builder_.report("Optional.example.org", WatchState::Absent, "the cluster does not serve it");
  const auto found = status();
  EXPECT_EQ(found.backend_kind, "kubernetes");
  EXPECT_EQ(found.backend_version, "v1.34.1");
  EXPECT_TRUE(found.reachable);
  std::vector<std::string> names;
  for (const FeatureStatus& each : found.features) {
    names.push_back(each.name);
    EXPECT_EQ(each.state, FeatureState::Ok) << each.name;
    EXPECT_EQ(each.message, "") << each.name;
  }
  EXPECT_THAT(names, ::testing::ElementsAre("logs", "exec", "attach", "portForward", "workloads"));
}

TEST_F(ClusterStatusTest, ClusterThatDoesNotAnswerIsUnavailable) {
  self_check_ = {};
  EXPECT_FALSE(status().reachable);
  EXPECT_EQ(status().message, "the cluster has not answered yet");
  self_check_.problem = "connection refused";
  EXPECT_EQ(status().message, "the cluster does not answer: connection refused");
}

TEST_F(ClusterStatusTest, MissingPermissionTakesItsFeatureAway) {
  self_check_.lacking = {{"exec", {"get", "", "pods", "exec"}},
                         {"exec", {"create", "", "pods", "exec"}}};
  EXPECT_EQ(feature("exec").state, FeatureState::Unavailable);
  EXPECT_EQ(feature("exec").message,
            "the gateway may not get pods/exec; the gateway may not create pods/exec");
  EXPECT_EQ(feature("logs").state, FeatureState::Ok);
}

TEST_F(ClusterStatusTest, WithoutImpersonationOrReviewsNothingWorks) {
  for (const Requirement& lacking :
       {Requirement{"impersonation", {"impersonate", "", "users", ""}},
        Requirement{"accessReviews",
                    {"create", "authorization.k8s.io", "subjectaccessreviews", ""}}}) {
    self_check_.lacking = {lacking};
    for (const char* name : {"logs", "exec", "attach", "portForward", "workloads"}) {
      EXPECT_EQ(feature(name).state, FeatureState::Unavailable) << name;
    }
  }
}

TEST_F(ClusterStatusTest, KindThatIsMissingOrNotKnownDegradesTheWorkloads) {
  builder_.report("TrainingWorkload.run.ai", WatchState::Missing, "the cluster does not serve it");
  builder_.report("pods", WatchState::Failing, "no route");
  EXPECT_EQ(feature("workloads").state, FeatureState::Degraded);
  EXPECT_EQ(feature("workloads").message,
            "TrainingWorkload.run.ai: the cluster does not serve it; pods: no route");
  EXPECT_EQ(feature("exec").state, FeatureState::Ok);
  EXPECT_TRUE(status().reachable);
}

TEST_F(ClusterStatusTest, KindThatTheGatewayMayNotListIsNamed) {
  builder_.report("TrainingWorkload.run.ai", WatchState::Forbidden, "user can't list it");
  EXPECT_EQ(feature("workloads").state, FeatureState::Degraded);
  EXPECT_EQ(feature("workloads").message, "TrainingWorkload.run.ai: user can't list it");
}

}  // namespace
}  // namespace sluice::backend::kubernetes
