#include "backend/kubernetes/self_check.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/api/api_client_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;

class SelfCheckTest : public ApiClientFixture {
 protected:
  SelfCheckTest() {
    server_.answer("/version", 200, R"({"gitVersion":"v1.34.1"})");
    allow([](const std::string&) { return true; });
  }
  ~SelfCheckTest() override { testing::run(loop_, self_check_.stop()); }

  void allow(std::function<bool(const std::string& body)> rule) {
    server_.on("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
               [rule = std::move(rule)](const testing::ApiCall& call) {
                 return http::Response{{201, {}},
                                       rule(call.body) ? R"({"status":{"allowed":true}})"
                                                       : R"({"status":{"allowed":false}})"};
               });
  }
  void start() {
    self_check_.start();
    testing::run_until_idle(loop_);
  }
  std::vector<std::string> lacking() {
    std::vector<std::string> texts;
    for (const Requirement& requirement : self_check_.result()->lacking) {
      texts.push_back(std::string(requirement.feature) + ": " + to_string(requirement.access));
    }
    return texts;
  }

  SelfCheck self_check_{client_, ActingAs::Gateway, loop_.executor(), clock_};
};

TEST_F(SelfCheckTest, NothingIsKnownBeforeTheFirstAnswer) {
  EXPECT_FALSE(self_check_.result()->reachable);
  EXPECT_EQ(self_check_.result()->problem, "");
}

TEST_F(SelfCheckTest, TellsTheServersVersion) {
  start();
  EXPECT_TRUE(self_check_.result()->reachable);
  EXPECT_EQ(self_check_.result()->version, "v1.34.1");
  EXPECT_THAT(lacking(), ElementsAre());
}

TEST_F(SelfCheckTest, TellsWhichPermissionIsLacking) {
  allow([](const std::string& body) {
    return !body.contains(R"("verb":"create","group":"","resource":"pods","subresource":"exec")");
  });
  start();
  EXPECT_THAT(lacking(), ElementsAre("exec: create pods/exec"));
}

TEST_F(SelfCheckTest, NothingIsLackingByTheWordOfAServerThatHasJustStarted) {
  start();
  allow([](const std::string&) { return false; });
  server_.answer("/readyz", 500, "[-]informer-sync failed");
  clock_.advance(SelfCheck::kReviewInterval);
  EXPECT_THAT(lacking(), ElementsAre());
  server_.answer("/readyz", 200, "ok");
  clock_.advance(SelfCheck::kProbeInterval);
  EXPECT_FALSE(lacking().empty());
}

TEST_F(SelfCheckTest, PermissionsAreAskedForAgainAfterAWhile) {
  allow([](const std::string&) { return false; });
  start();
  EXPECT_FALSE(lacking().empty());
  allow([](const std::string&) { return true; });
  clock_.advance(SelfCheck::kReviewInterval - SelfCheck::kProbeInterval);
  EXPECT_FALSE(lacking().empty());
  clock_.advance(SelfCheck::kProbeInterval);
  EXPECT_TRUE(lacking().empty());
}

TEST_F(SelfCheckTest, ServerThatStopsAnsweringIsNoticedSoonAndSoIsItsReturn) {
  start();
  access_.failure = Error{ErrorCode::Unavailable, "no route"};
  server_.close_idle_connections();
  clock_.advance(SelfCheck::kProbeInterval);
  EXPECT_FALSE(self_check_.result()->reachable);
  EXPECT_EQ(self_check_.result()->problem, "no route");
  EXPECT_EQ(self_check_.result()->version, "v1.34.1");
  access_.failure.reset();
  server_.answer("/version", 200, R"({"gitVersion":"v1.35.0"})");
  clock_.advance(SelfCheck::kProbeInterval);
  EXPECT_TRUE(self_check_.result()->reachable);
  EXPECT_EQ(self_check_.result()->problem, "");
  EXPECT_EQ(self_check_.result()->version, "v1.35.0");
}

TEST_F(SelfCheckTest, ServerThatHasJustStartedSaysSoAndNotWhomItDenies) {
  start();
  server_.answer("/version", 403, R"({"message":"system:serviceaccount:sluice:sluiced cannot"})");
  server_.answer("/readyz", 403, "{}");
  clock_.advance(SelfCheck::kProbeInterval);
  EXPECT_FALSE(self_check_.result()->reachable);
  EXPECT_THAT(self_check_.result()->problem, ::testing::HasSubstr("is not ready"));
}

TEST_F(SelfCheckTest, WhatCannotBeAskedIsNotLacking) {
  server_.answer("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 403, "{}");
  start();
  EXPECT_TRUE(self_check_.result()->reachable);
  EXPECT_THAT(lacking(), ElementsAre());
}

TEST_F(SelfCheckTest, ImpersonationMayBeNarrowedToNames) {
  allow([](const std::string& body) { return !body.contains("impersonate"); });
  server_.answer("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", 201,
                 R"({"status":{"resourceRules":[{"verbs":["impersonate"],"resources":["users"],)"
                 R"("resourceNames":["jane"]}]}})");
  SelfCheck impersonating(client_, ActingAs::Caller, loop_.executor(), clock_);
  impersonating.start();
  testing::run_until_idle(loop_);
  const auto result = impersonating.result();
  ASSERT_EQ(result->lacking.size(), 1U);
  EXPECT_EQ(to_string(result->lacking[0].access), "impersonate groups");
  testing::run(loop_, impersonating.stop());
}

TEST(SelfCheckRequirements, AreThoseOfTheWayOfActing) {
  const auto texts = [](ActingAs acting_as) {
    std::string text;
    for (const Requirement& requirement : requirements(acting_as)) {
      text += to_string(requirement.access) + ", ";
    }
    return text;
  };
  EXPECT_EQ(texts(ActingAs::Caller),
            "list namespaces, watch namespaces, list pods, watch pods, impersonate users, "
            "impersonate groups, ");
  EXPECT_EQ(
      texts(ActingAs::Gateway),
      "list namespaces, watch namespaces, list pods, watch pods, get pods/log, get pods/exec, "
      "create pods/exec, get pods/attach, create pods/attach, get pods/portforward, "
      "create pods/portforward, create subjectaccessreviews.authorization.k8s.io, ");
}

}  // namespace
}  // namespace sluice::backend::kubernetes
