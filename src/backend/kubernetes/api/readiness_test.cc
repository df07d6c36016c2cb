#include "backend/kubernetes/api/readiness.h"

#include "backend/kubernetes/api/api_client_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

class ReadinessTest : public ApiClientFixture {
 protected:
  Error believe(ErrorCode code) {
    Error refusal{.code = code, .message = "no"};
    return testing::run(loop_, judge_refusal(client_, std::move(refusal)));
  }
};

TEST_F(ReadinessTest, DenialOfAServerThatIsReadyIsBelieved) {
  server_.answer("/readyz", 200, "ok");
  EXPECT_EQ(believe(ErrorCode::PermissionDenied).message, "no");
  EXPECT_EQ(server_.last_call().path, "/readyz");
}

TEST_F(ReadinessTest, DenialOfAServerThatKnowsNoReadinessIsBelieved) {
  server_.answer("/readyz", 404, "");
  EXPECT_EQ(believe(ErrorCode::PermissionDenied).message, "no");
}

TEST_F(ReadinessTest, ServerThatIsNotReadyIsToBeAskedAgain) {
  // It denies this question, too, before it has read that all may ask it.
  for (const unsigned status : {500U, 403U}) {
    server_.answer("/readyz", status, "[-]informer-sync failed");
    const Error error = believe(ErrorCode::PermissionDenied);
    EXPECT_EQ(error.code, ErrorCode::Unavailable) << status;
    EXPECT_EQ(error.retry_after, seconds(1)) << status;
    EXPECT_EQ(error.cause, "/readyz: [-]informer-sync failed; before: no") << status;
  }
}

TEST_F(ReadinessTest, ServerThatDoesNotAnswerIsToBeAskedAgain) {
  access_.failure = Error{.code = ErrorCode::Unavailable, .message = "connection refused"};
  EXPECT_EQ(believe(ErrorCode::PermissionDenied).code, ErrorCode::Unavailable);
}

TEST_F(ReadinessTest, WhatIsNoDenialIsNotAskedAbout) {
  EXPECT_EQ(believe(ErrorCode::NotFound).message, "no");
  EXPECT_TRUE(server_.calls().empty());
}

}  // namespace
}  // namespace sluice::backend::kubernetes
