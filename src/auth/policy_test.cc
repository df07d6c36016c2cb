#include "auth/policy.h"

#include <gtest/gtest.h>

#include "testing/test_loop.h"

namespace sluice::auth {
namespace {

using workload::Verb;

Policy policy_of(std::vector<PolicyRule> rules) {
  auto policy = Policy::from(PolicyConfig{std::move(rules)});
  EXPECT_TRUE(policy) << policy.error().message;
  return *std::move(policy);
}

const Caller kAlice{"alice", {"ml", "ops"}, {}};
const Caller kBob{"bob", {}, {}};

TEST(Policy, WithoutRulesNothingIsAllowed) {
  EXPECT_FALSE(policy_of({}).allows(kAlice, Verb::Status, "project1"));
}

TEST(Policy, AllOfSubjectProjectAndVerbMustMatchInOneRule) {
  const Policy policy = policy_of(
      {{{"user:alice"}, {"project1"}, {"logs"}}, {{"user:alice"}, {"project2"}, {"exec"}}});
  EXPECT_TRUE(policy.allows(kAlice, Verb::Logs, "project1"));
  EXPECT_TRUE(policy.allows(kAlice, Verb::Exec, "project2"));
  EXPECT_FALSE(policy.allows(kAlice, Verb::Exec, "project1"));
  EXPECT_FALSE(policy.allows(kAlice, Verb::Logs, "project"));
  EXPECT_FALSE(policy.allows(kBob, Verb::Logs, "project1"));
}

TEST(Policy, GroupAndUserOfTheSameNameDiffer) {
  const Policy policy =
      policy_of({{{"group:ml"}, {"p"}, {"logs"}}, {{"user:ops"}, {"q"}, {"logs"}}});
  EXPECT_TRUE(policy.allows(kAlice, Verb::Logs, "p"));
  EXPECT_FALSE(policy.allows(Caller{"ml", {}, {}}, Verb::Logs, "p"));
  EXPECT_FALSE(policy.allows(kAlice, Verb::Logs, "q"));
}

TEST(Policy, StarStandsForAllInEachPlace) {
  const Policy policy = policy_of({{{"*"}, {"p"}, {"status"}},
                                   {{"user:alice"}, {"*"}, {"logs"}},
                                   {{"user:alice"}, {"p"}, {"*"}}});
  EXPECT_TRUE(policy.allows(kBob, Verb::Status, "p"));
  EXPECT_TRUE(policy.allows(kAlice, Verb::Logs, "anything"));
  for (const Verb verb : {Verb::Status, Verb::Logs, Verb::Exec, Verb::Attach, Verb::PortForward}) {
    EXPECT_TRUE(policy.allows(kAlice, verb, "p"));
  }
  EXPECT_FALSE(policy.allows(kBob, Verb::Logs, "p"));
}

TEST(Policy, AUserNamedStarIsOnlyThatUser) {
  const Policy policy = policy_of({{{"user:*"}, {"p"}, {"logs"}}});
  EXPECT_FALSE(policy.allows(kAlice, Verb::Logs, "p"));
}

TEST(Policy, RulesThatMakeNoSenseAreRefused) {
  const PolicyRule rules[] = {
      {{"alice"}, {"p"}, {"logs"}},   {{"user:"}, {"p"}, {"logs"}},
      {{"group:"}, {"p"}, {"logs"}},  {{"user:a"}, {"P"}, {"logs"}},
      {{"user:a"}, {""}, {"logs"}},   {{"user:a"}, {"p"}, {"log"}},
      {{"user:a"}, {"p"}, {"Logs"}},  {{}, {"p"}, {"logs"}},
      {{"*"}, {}, {"logs"}},          {{"*"}, {"*"}, {}},
      {{"user:a"}, {"p*"}, {"logs"}},
  };
  for (const PolicyRule& rule : rules) {
    const auto policy = Policy::from(PolicyConfig{{rule}});
    ASSERT_FALSE(policy);
    EXPECT_EQ(policy.error().code, ErrorCode::InvalidArgument);
  }
}

TEST(PolicyAuthorizer, RefusalNamesUserVerbAndProject) {
  net::EventLoop loop;
  PolicyAuthorizer authorizer(policy_of({}));
  const auto result = testing::run(loop, authorizer.authorize(kBob, Verb::PortForward, "p"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::PermissionDenied);
  EXPECT_EQ(result.error().message, "user \"bob\" may not use port-forward in project \"p\"");
}

TEST(PolicyAuthorizer, ReplacedRulesHoldForTheNextQuestion) {
  net::EventLoop loop;
  PolicyAuthorizer authorizer(policy_of({{{"user:bob"}, {"p"}, {"*"}}}));
  EXPECT_TRUE(testing::run(loop, authorizer.authorize(kBob, Verb::Exec, "p")));
  authorizer.replace(policy_of({}));
  EXPECT_FALSE(testing::run(loop, authorizer.authorize(kBob, Verb::Exec, "p")));
}

}  // namespace
}  // namespace sluice::auth
