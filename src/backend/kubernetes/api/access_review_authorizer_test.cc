#include "backend/kubernetes/api/access_review_authorizer.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/api/api_client_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::HasSubstr;
using workload::Verb;

const std::string kReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const std::string kSelfReviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

class AccessReviewAuthorizerTest : public ApiClientFixture {
 protected:
  Result<> authorize(const auth::Caller& caller, Verb verb = Verb::Exec,
                     std::string project = "p") {
    return testing::run(loop_, authorizer_.authorize(caller, verb, std::move(project)));
  }
  void answer(bool allowed) {
    server_.answer(kReviews, 201,
                   allowed ? R"({"status":{"allowed":true}})" : R"({"status":{"allowed":false}})");
  }

  const auth::Caller jane_{.user = "jane", .groups = {"ml"}, .expires_at = {}, .extras = {}};
  AccessReviewAuthorizer::NamespaceOf namespace_of_ = [](std::string_view project) {
    return "runai-" + std::string(project);
  };
  AccessReviewAuthorizer authorizer_{client_, ActingAs::Gateway, namespace_of_, clock_};
  AccessReviewAuthorizer impersonating_{client_, ActingAs::Caller, namespace_of_, clock_};
};

TEST_F(AccessReviewAuthorizerTest, ClusterDecides) {
  answer(true);
  EXPECT_TRUE(authorize(jane_));
  EXPECT_THAT(server_.last_call().body, HasSubstr(R"("namespace":"runai-p")"));
  EXPECT_EQ(server_.last_call().fields.find("Impersonate-User"), std::nullopt);
  answer(false);
  const auto refused = authorize(jane_, Verb::Logs);
  EXPECT_EQ(refused.error().code, ErrorCode::PermissionDenied);
  EXPECT_EQ(refused.error().message, "user \"jane\" may not use logs in project \"p\"");
}

TEST_F(AccessReviewAuthorizerTest, RefusalInANamespaceNamesTheNamespace) {
  answer(false);
  const auto refused = testing::run(loop_, authorizer_.authorize_in(jane_, Verb::Logs, "runai-p"));
  EXPECT_EQ(refused.error().code, ErrorCode::PermissionDenied);
  EXPECT_EQ(refused.error().message, "user \"jane\" may not use logs in namespace \"runai-p\"");
}

TEST_F(AccessReviewAuthorizerTest, NamesOfTheClustersOwnAreRefusedUnasked) {
  answer(true);
  auth::Caller user = jane_;
  user.user = "system:admin";
  auth::Caller group = jane_;
  group.groups = {"ml", "system:masters"};
  for (const auth::Caller& caller : {user, group}) {
    EXPECT_EQ(authorize(caller).error().code, ErrorCode::PermissionDenied);
  }
  EXPECT_TRUE(server_.calls().empty());
}

TEST_F(AccessReviewAuthorizerTest, AnswerHoldsForTenSeconds) {
  answer(true);
  ASSERT_TRUE(authorize(jane_));
  answer(false);
  clock_.advance(milliseconds(9'999));
  EXPECT_TRUE(authorize(jane_));
  EXPECT_EQ(server_.calls().size(), 1U);
  clock_.advance(milliseconds(1));
  // A no is asked whether it is to be believed, and remembered, too.
  EXPECT_FALSE(authorize(jane_));
  EXPECT_EQ(server_.calls().size(), 3U);
  EXPECT_FALSE(authorize(jane_));
  EXPECT_EQ(server_.calls().size(), 3U);
}

TEST_F(AccessReviewAuthorizerTest, AnswerIsForOneCallerVerbAndProject) {
  answer(true);
  ASSERT_TRUE(authorize(jane_));
  answer(false);
  auth::Caller other = jane_;
  other.groups = {"ml", "admins"};
  EXPECT_FALSE(authorize(other));
  other = jane_;
  other.extras = {{"scope", "a"}};
  EXPECT_FALSE(authorize(other));
  EXPECT_FALSE(authorize(jane_, Verb::Attach));
  EXPECT_FALSE(authorize(jane_, Verb::Exec, "q"));
  EXPECT_TRUE(authorize(jane_));
}

TEST_F(AccessReviewAuthorizerTest, ClusterThatDoesNotAnswerIsUnavailableAndNothingIsRemembered) {
  server_.answer(kReviews, 403, R"({"message":"subjectaccessreviews is forbidden"})");
  const auto refused = authorize(jane_);
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(refused.error().message, "the cluster did not say whether this is allowed");
  EXPECT_EQ(refused.error().retry_after, seconds(5));
  server_.answer(kReviews, 201, "{}");
  EXPECT_EQ(authorize(jane_).error().code, ErrorCode::Unavailable);
  answer(true);
  EXPECT_TRUE(authorize(jane_));
}

TEST_F(AccessReviewAuthorizerTest, NoOfAServerThatHasJustStartedIsNeitherBelievedNorRemembered) {
  answer(false);
  server_.answer("/readyz", 500, "[-]informer-sync failed");
  EXPECT_EQ(authorize(jane_).error().code, ErrorCode::Unavailable);
  server_.answer("/readyz", 200, "ok");
  answer(true);
  EXPECT_TRUE(authorize(jane_));
}

TEST_F(AccessReviewAuthorizerTest, ImpersonatedCallerAsksForHimself) {
  server_.answer(kSelfReviews, 201, R"({"status":{"allowed":true}})");
  const auto ask = [this](const auth::Caller& caller) {
    return testing::run(loop_, impersonating_.authorize(caller, Verb::Logs, "p"));
  };
  ASSERT_TRUE(ask(jane_));
  EXPECT_EQ(server_.last_call().fields.find("Impersonate-User"), "jane");
  EXPECT_EQ(server_.last_call().fields.find("Impersonate-Group"), "ml");
  EXPECT_THAT(server_.last_call().body, HasSubstr(R"("subresource":"log")"));

  // Whom the gateway may not impersonate, or can't, may do nothing.
  server_.answer(kSelfReviews, 403, R"({"message":"cannot impersonate"})");
  auth::Caller other = jane_;
  other.user = "joe";
  EXPECT_EQ(ask(other).error().code, ErrorCode::PermissionDenied);
  other.user = "joe ";
  EXPECT_EQ(ask(other).error().code, ErrorCode::PermissionDenied);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
