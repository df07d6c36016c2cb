#include "cli/port/forward_check.h"

#include <gmock/gmock.h>

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

json::object pods(std::string_view list) {
  return json::parse(R"({"pods":)" + std::string(list) + "}")->as_object();
}

const json::object kPods =
    pods(R"([{"name":"a","phase":"Succeeded","containers":[{"name":"main"}]},)"
         R"({"name":"b","phase":"Running","containers":[{"name":"main"},{"name":"side"}]}])");

Error problem(const json::object& all, const TargetOptions& target) {
  const Result<> checked = check_pods(all, target, "w");
  return checked ? Error{ErrorCode::Internal, "none"} : checked.error();
}

TEST(ForwardCheck, WhatIsThereCanBeForwardedTo) {
  EXPECT_EQ(problem(kPods, {}).message, "none");
  EXPECT_EQ(problem(kPods, {"b", "side"}).message, "none");
  EXPECT_EQ(problem(kPods, {"", "side"}).message, "none");
}

TEST(ForwardCheck, NamesThatAreNotThereAreNotFound) {
  const Error no_pod = problem(kPods, {"nope", ""});
  EXPECT_EQ(no_pod.code, ErrorCode::NotFound);
  EXPECT_EQ(no_pod.message, "no pod \"nope\" in workload \"w\"; there are: a, b");
  const Error no_container = problem(kPods, {"b", "zzz"});
  EXPECT_EQ(no_container.code, ErrorCode::NotFound);
  EXPECT_EQ(no_container.message, "no container \"zzz\" in pod \"b\"; there are: main, side");
}

TEST(ForwardCheck, WhatHasEndedOrIsYetToComeIsAConflict) {
  for (const Error& error : {problem(pods("[]"), {}), problem(kPods, {"a", ""}),
                             problem(pods(R"([{"name":"a","phase":"Failed"}])"), {})}) {
    EXPECT_EQ(error.code, ErrorCode::Conflict) << error.message;
  }
}

}  // namespace
}  // namespace sluice::cli
