#include "backend/kubernetes/api/access_review.h"

#include <gmock/gmock.h>

namespace sluice::backend::kubernetes {
namespace {

using workload::Verb;

TEST(AccessReview, AsksForExactlyTheCallThatFollows) {
  EXPECT_EQ(to_string(access_for(Verb::Status)), "get pods");
  EXPECT_EQ(to_string(access_for(Verb::Logs)), "get pods/log");
  EXPECT_EQ(to_string(access_for(Verb::Exec)), "create pods/exec");
  EXPECT_EQ(to_string(access_for(Verb::Attach)), "create pods/attach");
  EXPECT_EQ(to_string(access_for(Verb::PortForward)), "create pods/portforward");
  EXPECT_EQ(to_string({"create", "authorization.k8s.io", "subjectaccessreviews", ""}),
            "create subjectaccessreviews.authorization.k8s.io");
}

TEST(AccessReview, SaysWhoWantsToDoWhatAndWhere) {
  const auth::Caller caller{.user = "jane",
                            .groups = {"ml"},
                            .expires_at = {},
                            .extras = {{"scope", "a"}, {"scope", "b"}, {"x", "c"}}};
  EXPECT_EQ(subject_access_review(caller, access_for(Verb::Logs), "runai-p"),
            R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview",)"
            R"("spec":{"user":"jane","groups":["ml","system:authenticated"],)"
            R"("resourceAttributes":{"verb":"get","group":"",)"
            R"("resource":"pods","subresource":"log","namespace":"runai-p"},)"
            R"("extra":{"scope":["a","b"],"x":["c"]}}})");
}

TEST(AccessReview, OfOneselfNamesNobody) {
  EXPECT_EQ(self_subject_access_review({"list", "", "pods", ""}, ""),
            R"({"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":)"
            R"({"resourceAttributes":{"verb":"list","group":"","resource":"pods"}}})");
}

TEST(AccessReview, AnswerIsYesOrNoAndNothingElse) {
  EXPECT_TRUE(parse_review(R"({"status":{"allowed":true}})")->allowed);
  const auto no = parse_review(R"({"status":{"allowed":false,"denied":true,"reason":"because"}})");
  EXPECT_FALSE(no->allowed);
  EXPECT_EQ(no->reason, "because");
  for (const char* text :
       {"", "[]", "{}", R"({"status":{}})", R"({"status":{"allowed":"true"}})"}) {
    EXPECT_EQ(parse_review(text).error().code, ErrorCode::Unavailable) << text;
  }
}

TEST(AccessReview, ImpersonationOfSomeIsImpersonation) {
  const auto may = [](const std::string& rule) {
    return *parse_may_impersonate(R"({"status":{"resourceRules":[7,)" + rule + "]}}", "users");
  };
  EXPECT_TRUE(
      may(R"({"verbs":["impersonate"],"resources":["groups","users"],"resourceNames":["a"]})"));
  EXPECT_TRUE(may(R"({"verbs":["impersonate:user-info"],"resources":["users"]})"));
  EXPECT_TRUE(may(R"({"verbs":["*"],"resources":["*"]})"));
  EXPECT_FALSE(may(R"({"verbs":["impersonate"],"resources":["groups"]})"));
  EXPECT_FALSE(may(R"({"verbs":["get"],"resources":["users"]},{"resources":["users"]})"));
  EXPECT_TRUE(
      *parse_may_impersonate(R"({"status":{"resourceRules":[],"incomplete":true}})", "users"));
  EXPECT_EQ(parse_may_impersonate("{}", "users").error().code, ErrorCode::Unavailable);
  EXPECT_EQ(parse_may_impersonate(R"({"status":{}})", "users").error().code,
            ErrorCode::Unavailable);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
