#include "backend/kubernetes/cache/discovery.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/api/api_client_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

class DiscoveryTest : public ApiClientFixture {
 protected:
  DiscoveryTest() {
    server_.answer("/apis", 200, R"({"groups":[
      {"name":"run.ai","versions":[{"version":"v1alpha1"},{"version":"v2alpha1"}],
       "preferredVersion":{"version":"v2alpha1"}},
      {"name":"broken.org","versions":[{"version":"v1"}]},
      {"name":"other.org","versions":[{"version":"v1"}]}]})");
    server_.answer("/apis/run.ai/v2alpha1", 200, R"({"resources":[
      {"name":"trainingworkloads/status","kind":"TrainingWorkload"},
      {"name":"trainingworkloads","kind":"TrainingWorkload"}]})");
    server_.answer("/apis/run.ai/v1alpha1", 200, R"({"resources":[
      {"name":"trainingworkloads","kind":"TrainingWorkload"},
      {"name":"externalworkloads","kind":"ExternalWorkload"}]})");
    server_.answer("/apis/broken.org/v1", 503, "");
    server_.answer("/api/v1", 200, R"({"resources":[{"name":"pods","kind":"Pod"}]})");
  }
  Result<Discovered> ask(std::vector<GroupKind> kinds) {
    return testing::run(loop_, discover(client_, std::move(kinds)));
  }
  std::string path(const GroupKind& kind) {
    const auto found = ask({kind});
    if (!found || !found->served.contains(kind)) return "not served";
    return found->served.at(kind).path();
  }
};

TEST_F(DiscoveryTest, KindIsWhereThePreferredVersionHasIt) {
  EXPECT_EQ(path({"run.ai", "TrainingWorkload"}), "/apis/run.ai/v2alpha1/trainingworkloads");
}

TEST_F(DiscoveryTest, ElseWhereTheFirstVersionHasIt) {
  EXPECT_EQ(path({"run.ai", "ExternalWorkload"}), "/apis/run.ai/v1alpha1/externalworkloads");
}

TEST_F(DiscoveryTest, CoreGroupHasNoName) { EXPECT_EQ(path({"", "Pod"}), "/api/v1/pods"); }

TEST_F(DiscoveryTest, WhatIsNotServedIsLeftOut) {
  for (const GroupKind& kind :
       {GroupKind{"none.org", "A"}, GroupKind{"run.ai", "None"}, GroupKind{"other.org", "A"}}) {
    const auto found = ask({kind});
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->served.empty() && found->failed.empty()) << kind.group;
  }
}

TEST_F(DiscoveryTest, GroupWhoseServerFailsIsNotOneThatIsNotServed) {
  const auto found = ask({{"broken.org", "A"}, {"run.ai", "TrainingWorkload"}});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->failed.contains({"broken.org", "A"}));
  EXPECT_EQ(found->served.size(), 1U);
}

TEST_F(DiscoveryTest, OnlyGroupsThatAreWantedAreAskedFor) {
  ASSERT_TRUE(ask({{"run.ai", "TrainingWorkload"}}));
  EXPECT_EQ(server_.calls().size(), 2U);
  ASSERT_TRUE(ask({}));
  EXPECT_EQ(server_.calls().size(), 2U);
}

TEST_F(DiscoveryTest, ServerThatDoesNotAnswerIsAnError) {
  server_.answer("/apis", 503, "");
  EXPECT_EQ(ask({{"run.ai", "TrainingWorkload"}}).error().code, ErrorCode::Unavailable);
}

TEST_F(DiscoveryTest, DocumentsMayLackAnything) {
  server_.answer("/apis", 200, R"({"groups":[1,{},{"name":"run.ai","versions":[2,{}]}]})");
  EXPECT_EQ(path({"run.ai", "TrainingWorkload"}), "not served");
  server_.answer("/apis", 200, "[]");
  server_.answer("/api/v1", 200, R"({"resources":[1,{},{"name":"pods"}]})");
  EXPECT_EQ(path({"", "Pod"}), "not served");
}

}  // namespace
}  // namespace sluice::backend::kubernetes
